import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** An item from DynamoDB. Other programs write to the tables, so it may contain anything. */
export type Item = Record<string, AttributeValue>;

/** The items of an answer, without anything else. */
export function itemsOf(items: unknown): Item[] {
  return Array.isArray(items) ? items.filter((item) => Object(item) === item) : [];
}

/** The text of an attribute; undefined if absent or of another type. */
export function text(value: AttributeValue | undefined): string | undefined {
  return typeof value?.S === 'string' ? value.S : undefined;
}

/** The strings of a string set; empty if absent or of another type. */
export function strings(value: AttributeValue | undefined): readonly string[] {
  return Array.isArray(value?.SS) ? value.SS : [];
}

/** The number of an attribute; undefined if absent, of another type or not finite. */
export function number(value: AttributeValue | undefined): number | undefined {
  const parsed = Number(value?.N);
  return value?.N !== undefined && Number.isFinite(parsed) ? parsed : undefined;
}

/** A time in ISO 8601. The attribute is text or milliseconds since 1970. */
export function time(value: AttributeValue | undefined): string | undefined {
  const date = new Date(number(value) ?? text(value) ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
