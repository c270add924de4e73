import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** A view in its own chunk, loaded when it is first shown. */
export function lazyView<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function LazyView(props: Props) {
    const [View, setView] = useState(() => loaded);
    const [isFailed, setIsFailed] = useState(false);
    useEffect(() => {
      let isGone = false;
      const keep = (view: ComponentType<Props>) => {
        loaded = view;
        if (!isGone) setView(() => view);
      };
      if (!loaded) load().then(keep, () => !isGone && setIsFailed(true));
      return () => {
        isGone = true;
      };
    }, []);
    if (View) return <View {...props} />;
    if (isFailed) return <LoadingFailed />;
    return <p class="empty">Loading …</p>;
  };
}

/** Shown when a chunk fails to load. An updated service no longer has the files of an older page. */
function LoadingFailed() {
  return (
    <div class="empty" role="alert">
      <h2>This part of the page could not be loaded</h2>
      <p>The service may be down, or it was updated.</p>
      <button type="button" class="button" onClick={() => location.reload()}>
        Reload the page
      </button>
    </div>
  );
}
