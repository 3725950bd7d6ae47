import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { gzipSync } from 'node:zlib';

const SHOTS = 'test-results/screens';

/** Keeps what a person would see here. */
export async function shot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

/** Fails on serious accessibility faults of the screen as it is. */
export async function expectNoSeriousFault(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa']).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const told = serious.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html).join(' | ')}`);
  expect(told).toEqual([]);
}

/** Collects what the browser complains about; the test looks at it at its end. */
export function collectErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  return errors;
}

/**
 * Notes every state and message of the page from now on; what it has noted so far.
 *
 * The page itself looks: a state may have passed, and a message of five seconds too, before a test
 * on a busy machine looks again. Ends with the document.
 */
export async function noteMessages(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(`(() => {
    const noted = (window.notedMessages = new Set());
    const note = () => {
      for (const { textContent } of document.querySelectorAll('[role=status]')) noted.add(textContent);
    };
    new MutationObserver(note).observe(document, { childList: true, characterData: true, subtree: true });
    note();
  })()`);
  return () => page.evaluate<string[]>('[...window.notedMessages]');
}

export async function openTab(page: Page, tab: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Sections' }).getByText(tab).click();
}

/** Adds up the scripts that a page needs for what it first shows, as gzip makes them. */
export function weighScripts(page: Page): () => Promise<number> {
  const weights = new Map<string, Promise<number>>();
  page.on('response', (response) => {
    if (response.request().resourceType() !== 'script') return;
    weights.set(
      response.url(),
      response.body().then((body) => gzipSync(body).length),
    );
  });
  return async () => {
    // What is in the document may not have been painted yet.
    await page.waitForFunction(`performance.getEntriesByName('first-contentful-paint').length > 0`);
    // The other tabs are fetched after the first screen; on a slow machine they may be here, too.
    const needed = await page.evaluate<string[]>(`(() => {
      const [paint] = performance.getEntriesByName('first-contentful-paint');
      const scripts = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js'));
      return scripts.filter(({ startTime }) => startTime < paint.startTime + 1_000).map(({ name }) => name);
    })()`);
    const counted = await Promise.all(needed.map((url) => weights.get(url) ?? Promise.resolve(0)));
    return counted.reduce((sum, bytes) => sum + bytes, 0);
  };
}

/** Prints a figure beside its aim. It fails no test: how fast a machine is says nothing of the page. */
export function told(name: string, value: number, unit: string, aim: string): void {
  console.log(`    ${name}: ${value.toFixed(unit === 'ms' ? 0 : 1)} ${unit} (aim ${aim})`);
}

/** Milliseconds between an action and the moment when something of it is on the screen. */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await action();
  return performance.now() - began;
}

/**
 * Code of the page: waits for the next frame, half a second at most.
 *
 * A browser without a screen may stop drawing for good, and a test that waits for its frames then
 * hangs; what the page does goes on, and is asserted.
 */
export const NEXT_FRAME = `new Promise((done) => {
  const late = setTimeout(done, 500);
  requestAnimationFrame(() => { clearTimeout(late); done(); });
})`;

/** The durations of the frames drawn while the page does something, in milliseconds. */
export async function framesDuring(page: Page, work: string): Promise<number[]> {
  return page.evaluate<number[]>(`(async () => {
    const frames = [];
    let last = performance.now();
    let isOn = true;
    const tick = (now) => {
      frames.push(now - last);
      last = now;
      if (isOn) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    await (${work})();
    isOn = false;
    return frames.slice(1);
  })()`);
}

/**
 * Processor time of the page's main thread while it does something, in milliseconds.
 *
 * Unlike the duration of frames it does not grow when other programs want the same processor.
 */
export async function processorTime(page: Page, work: () => Promise<unknown>): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const read = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
  };
  const before = await read();
  await work();
  const spent = (await read()) - before;
  await session.detach();
  return spent * 1000;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
