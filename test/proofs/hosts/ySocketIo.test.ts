import { describe } from '@jest/globals';
import { testHost } from './hostTests.js';
import { ySocketIoKind } from './ySocketIoKind.js';

describe(ySocketIoKind.name, () => testHost(ySocketIoKind));
