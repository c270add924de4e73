/** What the machines need of the outside, and the branded ids they speak of. */

declare const brand: unique symbol;

/** `host:port` of one pub-sub server, normalized (`10.0.0.3:8001`, `[::1]:8001`). Made by the edge only. */
export type ServerId = string & { readonly [brand]: 'ServerId' };

/** Raw request path of a room, never decoded (`a%20b`, `a/b`, `__proto__`). */
export type RoomName = string;

/** Number of an attempt to set a pub-sub server right; grows over one run of the service, never reused. */
export type Epoch = number & { readonly [brand]: 'Epoch' };

/** A snapshot as a pub-sub server answered it: its connections for each room, repeats summed. */
export type Connections = Map<RoomName, number>;

/** Why a request to a pub-sub server failed, in words for an operator. */
export type FailureCause = string;
