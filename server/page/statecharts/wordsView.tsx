import { useLayoutEffect, useRef } from 'preact/hooks';

/** One line of text. Its room was computed without its font: a wider font is squeezed into it. */
export function Words(props: { class: string; x: number; y: number; max: number; text: string }) {
  const { class: className, x, y, max, text } = props;
  const line = useRef<SVGTextElement>(null);
  useLayoutEffect(() => {
    const { current } = line;
    if (!current) return;
    current.removeAttribute('textLength');
    if (current.getComputedTextLength() > max) current.setAttribute('textLength', `${max}`);
  }, [text, max]);
  return (
    <text ref={line} class={className} x={x} y={y} lengthAdjust="spacingAndGlyphs">
      {text}
    </text>
  );
}
