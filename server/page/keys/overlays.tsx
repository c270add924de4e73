import { lazyView } from '../lazy.js';
import { overlay } from './useKeys.js';

const Palette = lazyView(() => import('./palette.js').then(({ Palette }) => Palette));
const KeysDialog = lazyView(() => import('./keysDialog.js').then(({ KeysDialog }) => KeysDialog));

/** The palette or the list of keys, over the page. Both are loaded when they are first opened. */
export function Overlays() {
  if (overlay.value === undefined) return null;
  return <div>{overlay.value === 'palette' ? <Palette /> : <KeysDialog />}</div>;
}
