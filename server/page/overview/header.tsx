import { session } from '../api.js';
import icon from '../icon.svg';
import { HeadFold, isUnfolded } from '../keys/headFold.js';
import { HeadTools } from '../keys/headTools.js';
import { visible } from '../model/roomNames.js';
import { type Route, route } from '../router.js';
import { signOut } from '../session/session.js';
import { StatusPill } from './statusPill.js';
import { Strip } from './strip.js';

const views: { view: Route['view']; href: string; title: string }[] = [
  { view: 'overview', href: '#/', title: 'Overview' },
  { view: 'rooms', href: '#/rooms', title: 'Rooms' },
  { view: 'servers', href: '#/servers', title: 'Servers' },
  { view: 'activity', href: '#/activity', title: 'Activity' },
];

/** The head of every view: navigation, the state of this page's stream, and the totals. */
export function Header({ isSignedIn }: { isSignedIn: boolean }) {
  const fold = isSignedIn ? `signed-in ${isUnfolded.value ? 'unfolded' : ''}` : '';
  return (
    <header class={`page-head ${fold}`}>
      <div class="page-head-in">
        <a class="brand" href="#/">
          <img src={icon} alt="" width="22" height="22" />
          <span>pubsub-dashboard</span>
        </a>
        {isSignedIn && <HeadFold title={titleOf(route.value)} />}
        {isSignedIn && <Navigation />}
        <span class="spacer" />
        {isSignedIn && <StatusPill />}
        {isSignedIn && <HeadTools />}
        {isSignedIn && <Account />}
      </div>
      {isSignedIn && <Strip />}
    </header>
  );
}

/** The entry of the navigation that a view belongs to. */
const entryOf = ({ view }: Route) =>
  view === 'room' ? 'rooms' : view === 'server' ? 'servers' : view;

const titleOf = (shown: Route) =>
  views.find(({ view }) => view === entryOf(shown))?.title ??
  (shown.view === 'statecharts' ? 'Statecharts' : 'Views');

function Navigation() {
  const current = entryOf(route.value);
  return (
    <nav aria-label="Views">
      <ul class="nav">
        {views.map((item) => (
          <li key={item.view}>
            <a href={item.href} {...(item.view === current && { 'aria-current': 'page' })}>
              {item.title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Who is signed in, and the way out. Somebody who signed in at a proxy signs out there. */
function Account() {
  const { required = false, user = null, signOutUrl = null } = session.value ?? {};
  if (user !== null)
    return (
      <span class="account small">
        <span class="quiet">Signed in as</span> <bdi class="cut">{visible(user)}</bdi>
        {signOutUrl !== null && (
          <a class="button bare" href={signOutUrl}>
            Sign out
          </a>
        )}
      </span>
    );
  if (!required) return null;
  return (
    <button type="button" class="button bare" onClick={leave}>
      Sign out
    </button>
  );
}

function leave(): void {
  signOut().catch(() => alert('The service did not answer. You are still signed in.'));
}
