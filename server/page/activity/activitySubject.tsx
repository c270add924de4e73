import type { ActivityEvent } from '../../wire/activityEvent.js';
import { failingDependencies } from '../model/polling.js';
import { shownName, visible } from '../model/roomNames.js';
import { roomHref, serverHref } from '../router.js';
import { lookOf } from '../servers/serverLook.js';

type Subject = ActivityEvent['subject'];

/** What an event is about, for people. */
export const subjectWords = ({ type, name }: Subject): string =>
  type === 'room' ? shownName(name) : visible(name);

/** The sentence of an event, with a link to what it is about. */
export function LinkedMessage({ event, tabIndex }: { event: ActivityEvent; tabIndex: number }) {
  const { subject, message } = event;
  const words = calledIn(message, subject);
  const at = words === undefined ? -1 : message.indexOf(words);
  const link = (
    <SubjectLink event={event} words={words ?? subjectWords(subject)} tabIndex={tabIndex} />
  );
  if (words === undefined)
    return (
      <>
        {link}: {visible(message)}
      </>
    );
  return (
    <>
      {visible(message.slice(0, at))}
      {link}
      {visible(message.slice(at + words.length))}
    </>
  );
}

/** What a message calls its subject; undefined: it does not name it, as those about rooms. */
function calledIn(message: string, { type, name }: Subject): string | undefined {
  if (type === 'room') return undefined;
  const told = type === 'server' ? lookOf(name).name : undefined;
  return [`${told} (${name})`, name].find((words) => message.includes(words));
}

function SubjectLink({
  event,
  words: text,
  tabIndex,
}: {
  event: ActivityEvent;
  words: string;
  tabIndex: number;
}) {
  const { subject } = event;
  const words = <bdi>{visible(text)}</bdi>;
  const href = hrefOf(event);
  if (href !== undefined)
    return (
      <a href={href} tabIndex={tabIndex} data-subject>
        {words}
      </a>
    );
  const isFailing =
    subject.type === 'dependency' &&
    failingDependencies.value.some(({ name }) => name === subject.name);
  if (!isFailing) return words;
  return (
    <button
      type="button"
      class="link"
      tabIndex={tabIndex}
      title="Show the notice about it"
      onClick={showDependencies}
      data-subject
    >
      {words}
    </button>
  );
}

function hrefOf({ subject: { type, name }, kind }: ActivityEvent): string | undefined {
  if (type === 'server') return serverHref(name);
  if (type === 'room') return roomHref(name);
  // An instance that is alone has no table of instances.
  if (type === 'instance' && kind !== 'instance.alone') return '#/servers?to=instances';
  return undefined;
}

/** The notice of dependencies is above every view. */
function showDependencies(): void {
  const notice = document.querySelector<HTMLElement>('[data-notice="dependencies"]');
  if (!notice) return;
  notice.tabIndex = -1;
  notice.scrollIntoView({ block: 'center' });
  notice.focus({ preventScroll: true });
}
