const titles: Readonly<Record<string, string>> = {
  instance: 'Instance',
  activation: 'Activation',
  pubSubServer: 'Pub-sub servers',
  room: 'Watched rooms',
};

/** The title of a machine. */
export const titleOf = (id: string): string => titles[id] ?? id;
