import './app.css';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { session } from './api.js';
import { Overlays } from './keys/overlays.js';
import { useKeys } from './keys/useKeys.js';
import { lazyView } from './lazy.js';
import { activation } from './model/fleet.js';
import { shownName } from './model/roomNames.js';
import { NotReady, UnknownView } from './overview/emptyStates.js';
import { Header } from './overview/header.js';
import { Notices } from './overview/notices.js';
import { OverviewView } from './overview/overviewView.js';
import { route } from './router.js';
import { goToPlace } from './scrollPlaces.js';
import { lookOf } from './servers/serverLook.js';
import { sessionFailure } from './session/session.js';
import { SignIn } from './session/signInForm.js';

const RoomsView = lazyView(() => import('./rooms/roomsView.js').then(({ RoomsView }) => RoomsView));
const RoomView = lazyView(() => import('./room/roomView.js').then(({ RoomView }) => RoomView));
const ActivityView = lazyView(() =>
  import('./activity/activityView.js').then(({ ActivityView }) => ActivityView),
);
const ServerView = lazyView(() =>
  import('./server/serverView.js').then(({ ServerView }) => ServerView),
);
const ServersView = lazyView(() =>
  import('./servers/serversView.js').then(({ ServersView }) => ServersView),
);
const StatechartsView = lazyView(() =>
  import('./statecharts/statechartsView.js').then(({ StatechartsView }) => StatechartsView),
);

/** The page. */
export function App() {
  const main = useRef<HTMLElement>(null);
  const isSignedIn = session.value?.signedIn ?? false;
  useNewView(main);
  useKeys();
  return (
    <>
      {/* A button, because a link would change the fragment and with it the view. */}
      <button type="button" class="skip button" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <Header isSignedIn={isSignedIn} />
      <main ref={main} id="main" tabIndex={-1}>
        {isSignedIn && <Notices />}
        <Content isSignedIn={isSignedIn} />
      </main>
      {isSignedIn && <Overlays />}
    </>
  );
}

/** Scrolls a new view to its top, or to its place of before. Moves the focus to it if the focused element is gone. */
function useNewView(main: { readonly current: HTMLElement | null }): void {
  const shown = useRef(route.value);
  useLayoutEffect(() => {
    if (shown.current === route.value) return;
    shown.current = route.value;
    goToPlace();
    if (document.activeElement === document.body) main.current?.focus({ preventScroll: true });
  }, [route.value]);
}

function Content({ isSignedIn }: { isSignedIn: boolean }) {
  if (!session.value) return <NotReady reason={sessionFailure.value} />;
  if (!isSignedIn) return <SignIn />;
  const { value } = route;
  if (value.view === 'room')
    return (
      <View title={shownName(value.name)}>
        <RoomView key={value.name} name={value.name} />
      </View>
    );
  if (value.view === 'activity')
    return (
      <View title="Activity">
        <ActivityView />
      </View>
    );
  if (value.view === 'statecharts')
    return (
      <View title="Statecharts">
        <StatechartsView />
      </View>
    );
  if (value.view === 'unknown') return <UnknownView />;
  if (activation.value === undefined) return <NotReady reason={undefined} />;
  if (value.view === 'server')
    return (
      <View title={lookOf(value.id).fullName}>
        <ServerView key={value.id} id={value.id} />
      </View>
    );
  return <NumbersView view={value.view} />;
}

function NumbersView({ view }: { view: 'overview' | 'rooms' | 'servers' }) {
  if (view === 'rooms')
    return (
      <View title="Rooms">
        <RoomsView />
      </View>
    );
  if (view === 'servers')
    return (
      <View title="Servers">
        <ServersView />
      </View>
    );
  return (
    <View title="">
      <OverviewView />
    </View>
  );
}

/** Sets the title of the tab. */
function View({ title, children }: { title: string; children: ComponentChildren }) {
  useEffect(() => {
    document.title = title ? `${title.slice(0, 100)} · pubsub-dashboard` : 'pubsub-dashboard';
  }, [title]);
  return children;
}
