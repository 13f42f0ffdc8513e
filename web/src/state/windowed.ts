// Which rows of a very long list are in sight, and which pages of the answer they need. Pure: all rows
// have one height, so that nothing need be measured.

export interface Sight {
  /** Half open. */
  first: number;
  end: number;
}

const OVERSCAN_ROWS = 8;

/** `top_px`: where the list begins, below the upper edge of what is in sight (negative: scrolled by). */
export function inSight(total: number, row_px: number, top_px: number, height_px: number): Sight {
  if (total <= 0 || row_px <= 0) return { first: 0, end: 0 };
  const first = Math.floor(-top_px / row_px) - OVERSCAN_ROWS;
  const end = Math.ceil((height_px - top_px) / row_px) + OVERSCAN_ROWS;
  return { first: Math.min(Math.max(first, 0), total), end: Math.min(Math.max(end, 0), total) };
}

/** Numbers of the pages that hold those rows. */
export function pagesOf({ first, end }: Sight, page: number): number[] {
  const pages: number[] = [];
  for (let at = Math.floor(first / page); at * page < end; at += 1) pages.push(at);
  return pages;
}
