/** How much of the end is always shown. */
const endLength = 6;

/** A text on one line. Its middle is cut if it is too long, because names often differ at the end. */
export function MiddleCut({ text }: { text: string }) {
  const characters = [...text];
  return (
    <span class="middle-cut" dir="auto">
      <span class="cut">{characters.slice(0, -endLength).join('')}</span>
      <span>{characters.slice(-endLength).join('')}</span>
    </span>
  );
}
