import './keys.css';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { overlay } from './useKeys.js';

/** A dialog over the page. The browser keeps the focus in it. It goes back to where it was. */
export function Modal({
  label,
  class: name,
  children,
}: {
  label: string;
  class: string;
  children: ComponentChildren;
}) {
  const isOpen = useRef(true);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      isOpen.current = false;
      element?.close();
      // The browser gives the focus back only to what it closes itself.
      if (before instanceof HTMLElement && before.isConnected)
        before.focus({ preventScroll: true });
    };
  }, []);
  // The event of a dialog that was taken away comes later, when another may be open.
  const close = () => {
    if (isOpen.current) overlay.value = undefined;
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog, as the browser does by itself.
    <dialog
      ref={dialog}
      class={`modal ${name}`}
      aria-label={label}
      onCancel={close}
      onClose={close}
      onClick={({ target }) => target === dialog.current && close()}
    >
      <div class="modal-in">{children}</div>
    </dialog>
  );
}
