import type Router from '@koa/router';
import type { DependencyReport } from '../../wire/dependencyReport.js';
import type { ServerDetails } from '../../wire/serverView.js';
import type { PauseReport, ServiceState, StateReport } from '../../wire/serviceState.js';
import type { SourceReport } from '../../wire/sourceReport.js';

/** What the routes about the fleet need. */
export interface FleetNeeds {
  servers: () => ServerDetails[];
  state: () => ServiceState;
  /** Connections that snapshots corrected. */
  drift: () => number;
  /** Null: there was none. */
  lastPause: () => PauseReport | null;
  /** The state of each discovery source. */
  discovery: () => SourceReport[];
  /** The health of what the service uses outside itself. */
  dependencies: () => DependencyReport[];
}

/** `GET /api/servers`, with the failing discovery sources in a header, and `GET /api/state`. */
export function fleetRoutes(router: Router, needs: FleetNeeds): void {
  router
    .get('/api/servers', (ctx) => {
      const failed = needs.discovery().filter(({ error }) => error !== null);
      // The body is an array of servers, so anything else goes into headers.
      if (failed.length > 0)
        ctx.set('X-Discovery-Failed', failed.map(({ name }) => name).join(', '));
      ctx.body = needs.servers();
    })
    .get('/api/state', (ctx) => {
      const report: StateReport = {
        ...needs.state(),
        drift: needs.drift(),
        lastPause: needs.lastPause(),
        discovery: needs.discovery(),
        dependencies: needs.dependencies(),
      };
      ctx.body = report;
    });
}
