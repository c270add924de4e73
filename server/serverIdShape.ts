import { z } from 'zod';
import type { ServerId } from '../machines/ports.js';
import { parseServerId } from './addresses.js';

/** Reads the id of a pub-sub server, `host:port`. */
export const serverIdShape = z.string().transform((text, ctx): ServerId => {
  try {
    return parseServerId(text);
  } catch (error) {
    ctx.addIssue(String(error));
    return z.NEVER;
  }
});
