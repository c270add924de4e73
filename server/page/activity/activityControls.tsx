import { query, setQuery } from '../router.js';
import { lookOf } from '../servers/serverLook.js';
import { QuerySearch } from '../ui/querySearch.js';
import { type ActivityFilter, filterOf } from './activityFilter.js';
import { subjectWords } from './activitySubject.js';
import { kindGroups, kindWords } from './kindWords.js';

/** The filters. They are kept in the address, so a filtered view can be bookmarked. */
export function ActivityControls() {
  const filter = filterOf(query.value);
  return (
    <div class="row activity-controls">
      <KindSelect kind={filter.kind} />
      <label class="activity-problems">
        <input
          type="checkbox"
          checked={filter.isProblems}
          onChange={({ currentTarget }) =>
            setQuery({ level: currentTarget.checked ? 'warning' : undefined })
          }
        />
        Problems only
      </label>
      <QuerySearch id="activity-search" label="Search the activity" />
      {filter.about && <About about={filter.about} />}
    </div>
  );
}

function KindSelect({ kind }: { kind: string }) {
  const isKnown = kindGroups.some(({ subject, kinds }) => [subject, ...kinds].includes(kind));
  return (
    <>
      <label class="visually-hidden" for="activity-kind">
        What happened
      </label>
      <select
        id="activity-kind"
        class="select"
        value={kind}
        onChange={({ currentTarget }) => setQuery({ kind: currentTarget.value })}
      >
        <option value="">Everything</option>
        {kindGroups.map(({ subject, title, kinds }) => (
          <optgroup key={subject} label={title}>
            <option value={subject}>All about {title.toLowerCase()}</option>
            {kinds.map((each) => (
              <option key={each} value={each}>
                {kindWords(each).label}
              </option>
            ))}
          </optgroup>
        ))}
        {kind !== '' && !isKnown && <option value={kind}>{kind}</option>}
      </select>
    </>
  );
}

/** The one server, room or the like that is shown, and the way back to all. */
function About({ about }: { about: NonNullable<ActivityFilter['about']> }) {
  const words = about.type === 'server' ? lookOf(about.name).fullName : subjectWords(about);
  return (
    <button
      type="button"
      class="button activity-about"
      title="Show all again"
      onClick={() => setQuery({ about: undefined })}
    >
      <span class="cut">
        Only <bdi>{words}</bdi>
      </span>
      <span aria-hidden="true">×</span>
      <span class="visually-hidden">: show all again</span>
    </button>
  );
}

/** Removes all filters. */
export const clearFilters = () =>
  setQuery({ kind: undefined, level: undefined, about: undefined, q: undefined });
