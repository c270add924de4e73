/**
 * What the viewers of one kind of event stream were sent since the start. Plain numbers that only grow, except
 * `open`: a call for each frame would be the most frequent of all.
 */
export class StreamCounts {
  /** Open streams. */
  open = 0;
  /** Streams that were opened. */
  opened = 0;
  /** Streams that were cut because nothing was read for too long. */
  cut = 0;
  /** Frames that were sent, without heartbeats. */
  frames = 0;
  /** Their bytes. */
  bytes = 0;
  /** Frames that were dropped because too much was waiting. The viewer then needs a whole state. */
  dropped = 0;
}
