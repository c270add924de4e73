/**
 * A text on one line. Its middle is cut if it is too long, because names often differ at the end. `endLength`
 * characters of the end are always shown.
 */
export function MiddleCut({ text, endLength = 6 }: { text: string; endLength?: number }) {
  const characters = [...text];
  return (
    <span class="middle-cut" dir="auto">
      <span class="cut">{characters.slice(0, -endLength).join('')}</span>
      <span>{characters.slice(-endLength).join('')}</span>
    </span>
  );
}
