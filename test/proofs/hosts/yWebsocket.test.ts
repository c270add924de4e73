import { describe } from '@jest/globals';
import { testHost } from './hostTests.js';
import { yWebsocketKinds } from './yWebsocketKinds.js';

describe.each(yWebsocketKinds)('$name', (kind) => testHost(kind));
