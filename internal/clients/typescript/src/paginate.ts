/** One page of a list, as the API answers with it. */
export interface Page<Item> {
  data: Item[];
  next_cursor: string | null;
  has_more: boolean;
}

/**
 * All items of a list, page by page, each page when it is needed:
 *
 *     for await (const event of paginate((page) => api.listEvents({ query: { q: 'concert', ...page } }))) …
 *
 * The list goes on for as long as one takes items from it; leave the loop, and
 * nothing more is asked for.
 */
export async function* paginate<Item>(
  list: (page: { cursor?: string }) => Promise<{ data: Page<Item> }>,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  for (;;) {
    const { data: page } = await list(cursor === undefined ? {} : { cursor });
    yield* page.data;
    if (!page.has_more) {
      return;
    }
    // Or else it would go on forever.
    if (page.next_cursor === null || page.next_cursor === cursor) {
      throw new Error('there is more, but no way to it: give `list` the cursor that it gets');
    }
    cursor = page.next_cursor;
  }
}
