import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type ObservationsTable, StoreError } from '../store.js';
import { number, text } from './attributes.js';

/** Key of the item with the generation of the last save and its number of blocks. */
const head = 'head';
/** A save that takes longer fails. The blocks that it wrote are never read. */
const saveWithinMs = 20_000;

/**
 * The table of observations, `{id: S, rows: S}`, only in the embedded server. A save writes new blocks beside
 * the old ones, then switches to them with one write.
 */
export function observationsTable(client: DynamoDBClient, table: string): ObservationsTable {
  let generation = 0;

  const get = async (id: string) => {
    const Key = { id: { S: id } };
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key }));
    return Item;
  };
  const put = (id: string, attributes: Record<string, AttributeValue>) => {
    const Item = { id: { S: id }, ...attributes };
    return client.send(new PutItemCommand({ TableName: table, Item }));
  };

  return {
    async load() {
      const item = await get(head);
      generation = number(item?.generation) ?? 0;
      const blocks: string[] = [];
      for (let i = 0; i < (number(item?.blocks) ?? 0); i += 1) {
        const rows = text((await get(`${generation}#${i}`))?.rows);
        if (rows !== undefined) blocks.push(rows);
      }
      return blocks;
    },

    async save(blocks) {
      const next = (generation + 1) % 2;
      const deadline = performance.now() + saveWithinMs;
      let count = 0;
      for (const rows of blocks) {
        if (performance.now() > deadline)
          throw new StoreError(`the observations were not saved within ${saveWithinMs} ms`);
        await put(`${next}#${count}`, { rows: { S: rows } });
        count += 1;
      }
      await put(head, { generation: { N: String(next) }, blocks: { N: String(count) } });
      generation = next;
    },
  };
}
