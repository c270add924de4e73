import { register } from 'node:module';

/** Loaded before all else (`--import`): what is fuzzed counts how often each of its branches is taken. */
register('./instrumentingLoader.js', import.meta.url);
