import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** An item as it comes from DynamoDB: anybody may have written it, so anything may be in it. */
export type Item = Record<string, AttributeValue>;

/** The items of an answer; none where there is something else. */
export function itemsOf(items: unknown): Item[] {
  return Array.isArray(items) ? items.filter((item) => Object(item) === item) : [];
}

/** The text of an attribute; undefined when it is absent or of another type. */
export function text(value: AttributeValue | undefined): string | undefined {
  return typeof value?.S === 'string' ? value.S : undefined;
}

/** The strings of a string set; none when it is absent or of another type. */
export function strings(value: AttributeValue | undefined): readonly string[] {
  return Array.isArray(value?.SS) ? value.SS : [];
}

/** The number of an attribute; undefined when it is absent, of another type, or not finite. */
export function number(value: AttributeValue | undefined): number | undefined {
  const parsed = Number(value?.N);
  return value?.N !== undefined && Number.isFinite(parsed) ? parsed : undefined;
}

/** A time as ISO 8601, written as text or as milliseconds since 1970. */
export function time(value: AttributeValue | undefined): string | undefined {
  const date = new Date(number(value) ?? text(value) ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
