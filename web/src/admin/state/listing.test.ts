import { expect, test } from "vitest";
import { Failure } from "../wire/failure";
import { Listing, type Page } from "./listing";

/** A server with `total` numbers, two to a page. Answers come when the test says so. */
function numbers(total: number) {
  const asked: { cursor: string | null; answer: (failure?: Failure) => void }[] = [];
  const load = (cursor: string | null) =>
    new Promise<Page<number>>((resolve, reject) => {
      const first = Number(cursor ?? 0);
      const items = [first, first + 1].filter((number) => number < total);
      const next = first + 2 < total ? String(first + 2) : null;
      asked.push({ cursor, answer: (failure) => (failure ? reject(failure) : resolve({ items, next, total })) });
    });
  const answer = async (turn: Promise<void>, failure?: Failure) => {
    asked.at(-1)?.answer(failure);
    await turn;
  };
  return { asked, load, answer };
}

test("pages follow their cursors there and back", async () => {
  const { load, answer, asked } = numbers(5);
  const listing = new Listing<number>();
  expect(listing.isFirst.value).toBe(true);
  await answer(listing.show(load));
  expect([listing.items.value, listing.total.value, listing.hasPrevious.value]).toEqual([[0, 1], 5, false]);
  await answer(listing.next());
  await answer(listing.next());
  expect([listing.items.value, listing.number.value, listing.hasNext.value]).toEqual([[4], 3, false]);
  await listing.next();
  await answer(listing.previous());
  expect([listing.items.value, listing.number.value]).toEqual([[2, 3], 2]);
  await answer(listing.reload());
  expect(asked.map(({ cursor }) => cursor)).toEqual([null, "2", "4", "2", "2"]);
});

test("an answer that is not wanted any more is dropped", async () => {
  const slow = numbers(5);
  const quick = numbers(1);
  const listing = new Listing<number>();
  const first = listing.show(slow.load);
  await quick.answer(listing.show(quick.load));
  await slow.answer(first);
  expect([listing.items.value, listing.isLoading.value]).toEqual([[0], false]);
});

test("a failure keeps what was there, and goes with the next success", async () => {
  const { load, answer } = numbers(5);
  const listing = new Listing<number>();
  await answer(listing.show(load));
  await answer(listing.next(), new Failure("UNREACHABLE", "The server cannot be reached."));
  expect([listing.items.value, listing.number.value, listing.failure.value?.code]).toEqual([[0, 1], 1, "UNREACHABLE"]);
  await answer(listing.reload());
  expect([listing.failure.value, listing.isLoading.value]).toEqual([null, false]);
});
