import { useEffect, useState } from 'preact/hooks';

/** Copies a text. `label` names it for screen readers. */
export function CopyButton({
  text,
  label,
  tabIndex = 0,
}: {
  text: string;
  label: string;
  tabIndex?: number;
}) {
  const [result, setResult] = useState('');
  useEffect(() => {
    if (!result) return undefined;
    const timer = setTimeout(() => setResult(''), 2000);
    return () => clearTimeout(timer);
  }, [result]);
  const copy = () => copyText(text).then((isDone) => setResult(isDone ? 'Copied' : 'Copy failed'));
  return (
    <button
      type="button"
      class="button bare small"
      title={`Copy ${label}`}
      tabIndex={tabIndex}
      onClick={copy}
    >
      <span aria-live="polite">{result || 'Copy'}</span>
      <span class="visually-hidden"> {label}</span>
    </button>
  );
}

/** Browsers offer the clipboard only over HTTPS and on localhost. Elsewhere this copies a selection. */
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
