/** One page of a list, as the API returns it. */
export interface Page<Item> {
  data: Item[];
  next_cursor: string | null;
  has_more: boolean;
}

/**
 * Yields all items of a list, requesting each page when it is needed:
 *
 *     for await (const event of paginate((page) => api.listEvents({ query: { q: 'concert', ...page } }))) …
 *
 * Leaving the loop early requests no further pages. Throws an `Error` if a page
 * leads to itself, as it does if `list` ignores the cursor.
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
    // Otherwise the loop would never end.
    if (page.next_cursor === null || page.next_cursor === cursor) {
      throw new Error('there is no cursor of a further page: pass the cursor on in `list`');
    }
    cursor = page.next_cursor;
  }
}
