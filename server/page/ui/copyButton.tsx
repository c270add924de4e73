import { useEffect, useState } from 'preact/hooks';

/** Copies a text; `label` says what it is. */
export function CopyButton({
  text,
  label,
  tabIndex = 0,
}: {
  text: string;
  label: string;
  tabIndex?: number;
}) {
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => setSaid(''), 2000);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () => copyText(text).then((isDone) => setSaid(isDone ? 'Copied' : 'Not copied'));
  return (
    <button
      type="button"
      class="button bare small"
      title={`Copy ${label}`}
      tabIndex={tabIndex}
      onClick={copy}
    >
      <span aria-live="polite">{said || 'Copy'}</span>
      <span class="visually-hidden"> {label}</span>
    </button>
  );
}

/** The clipboard is there for pages by https, and of this machine; elsewhere a selection is copied. */
async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    const done = navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    return done;
  }
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  document.body.append(field);
  field.select();
  const isDone = document.execCommand('copy');
  field.remove();
  return isDone;
}
