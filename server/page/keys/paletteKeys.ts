/** The keys that open the palette, as they are called on this computer. */
export const paletteKeys = (): readonly [string, string] =>
  /mac|iphone|ipad/i.test(navigator.platform) ? ['⌘', 'K'] : ['Ctrl', 'K'];
