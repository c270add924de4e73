/** The Grafana dashboard as far as tests look at it. */

interface Panel {
  id: number;
  title: string;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; datasource: { uid: string } }[];
}

export interface Dashboard {
  uid: string;
  templating: { list: { name: string }[] };
  panels: Panel[];
}

/** The queries of a dashboard, with its variables filled in as Grafana does. */
export function queriesOf(
  json: string,
  { job = 'pubsub-dashboard', interval = '1m' } = {},
): string[] {
  const { panels } = JSON.parse(json) as Dashboard;
  return panels
    .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    .map((expr) => expr.replaceAll('$__rate_interval', interval).replaceAll('$job', job));
}
