import { useMemo } from 'preact/hooks';
import { VirtualBody } from '../ui/virtualBody.js';
import type { ServerRowsProps } from './serverTable.js';

const usualHeight = 37;
const columns = 6;

/** The rows of up to a thousand servers. */
export function VirtualServerRows({ rows, rowOf }: ServerRowsProps) {
  const names = useMemo(() => rows.map(({ id }) => id), [rows]);
  return (
    <VirtualBody names={names} usualHeight={usualHeight} columns={columns} isReturnedTo>
      {(index, place) => {
        const row = rows[index];
        return row && rowOf(row, place);
      }}
    </VirtualBody>
  );
}
