import { expect, test, type Page } from '@playwright/test';
import { collectErrors, expectNoSeriousFault, shot } from './page';

/** Characters of a line that an eye still finds the next one after. */
const LONGEST_LINE = 150;

/** Nothing scrolls sideways, and no paragraph is stretched over the whole width. */
async function expectNoOverflow(page: Page, name: string): Promise<void> {
  // Charts take their new width a frame or more after the window.
  const isTooWide = () => page.evaluate('document.documentElement.scrollWidth > innerWidth');
  await expect.poll(isTooWide, { message: `${name} scrolls sideways` }).toBe(false);
  const stretched = await page.evaluate((most) => {
    const isLong = (p: HTMLElement) => {
      const perCharacter = p.getBoundingClientRect().height
        ? parseFloat(getComputedStyle(p).fontSize) * 0.5
        : Infinity;
      return p.innerText.length > most && p.clientWidth / perCharacter > most;
    };
    return Array.from(document.querySelectorAll('p'))
      .filter(isLong)
      .map((p) => p.innerText);
  }, LONGEST_LINE);
  expect(stretched, `${name} has lines that are too long`).toEqual([]);
}

interface Resource {
  id: string;
  status: string;
  n_features?: number;
}

async function firstReady(page: Page, path: string, status: string): Promise<string> {
  const answer = await page.request.get(`/api/v1/${path}?limit=100`);
  const { data } = (await answer.json()) as { data: Resource[] };
  const found = data.find((item) => item.status === status && item.n_features !== 0);
  if (!found) throw new Error(`The journey left no ${status} entry in ${path}`);
  return found.id;
}

test('every screen is clean, small, narrow and wide', async ({ page }) => {
  test.slow(); // 18 screens, each in three sizes
  const errors = collectErrors(page);
  const dataset = await firstReady(page, 'datasets', 'ready');
  const model = await firstReady(page, 'models', 'ready');
  const training = await firstReady(page, 'trainings', 'completed');
  const list = await page.request.get(`/api/v1/features?training_id=${training}&limit=2`);
  const { data } = (await list.json()) as { data: { id: number }[] };
  const [one, two] = data.map(({ id }) => id);

  const features = `tab=features&training=${training}`;
  const screens: [name: string, query: string, sight: string | RegExp][] = [
    ['30-datasets', 'tab=datasets', /^Your Datasets/],
    ['31-dataset-tokenization', `tab=datasets&dataset=${dataset}&view=tokenization`, 'Preview'],
    ['32-models', 'tab=models', /^Your Models/],
    ['33-architecture', `tab=models&model=${model}`, 'Model Configuration'],
    ['34-training', `tab=training&training=${training}`, /^Training Jobs/],
    ['35-features', features, 'Feature Extraction & Analysis'],
    ['36-map', `${features}&fview=map`, /^Duplicates/],
    ['37-own-text', `${features}&fview=text&ptext=The+happy+cat`, 'Feature Discovery'],
    ['38-by-strength', `${features}&feature=${one}&fexamples=intervals`, /^Feature #/],
    ['39-correlations', `${features}&feature=${one}&ftab=correlations`, /^Feature #/],
    ['40-neighbours', `${features}&feature=${one}&ftab=neighbours`, /^Writes alike/],
    ['41-statistics', `${features}&feature=${one}&ftab=statistics`, /^Activations where/],
    ['42-history', `${features}&feature=${one}&ftab=history`, /^Feature #/],
    ['43-compare', `tab=features&compare=${one}.${two}&comparing=1`, 'Compare features'],
    ['44-steering', `tab=steering&training=${training}`, 'Generation Configuration'],
    ['45-jobs', 'tab=jobs', 'Ended'],
    ['46-system', 'tab=system', 'Versions'],
    ['47-import', 'tab=training&new_sae=import', 'Import a Dictionary'],
  ];
  for (const [name, query, sight] of screens) {
    await page.setViewportSize({ width: 1280, height: 720 });
    await page.goto(`/?${query}`);
    await expect(page.getByRole('heading', { name: sight }).first()).toBeVisible();
    await expect(page.getByRole('status', { name: /^Loading/ })).toHaveCount(0);
    await expectNoSeriousFault(page);
    await expectNoOverflow(page, name);
    await shot(page, name);
    await page.setViewportSize({ width: 390, height: 844 });
    await expectNoSeriousFault(page);
    await expectNoOverflow(page, `${name} on a phone`);
    await shot(page, `${name}-narrow`);
    await page.setViewportSize({ width: 3440, height: 1440 });
    await expectNoOverflow(page, name);
    await shot(page, `${name}-wide`);
  }
  expect(errors).toEqual([]);
});

test('six features show at once at 1280x720, and a reload gives the same view', async ({
  page,
}) => {
  const training = await firstReady(page, 'trainings', 'completed');
  await page.setViewportSize({ width: 1280, height: 720 });
  const view = 'fsort=max_activation&forder=asc&frange=n_fires:1:&cols=label.token.max';
  await page.goto(`/?tab=features&training=${training}&${view}`);
  const table = page.getByRole('region', { name: 'Features', exact: true });
  const sixth = table.locator('[data-index="5"]');
  await expect(sixth).toBeInViewport({ ratio: 0.95 });
  await table
    .getByRole('checkbox', { name: /^Choose feature/ })
    .nth(2)
    .check();
  const text = await sixth.textContent();
  const url = page.url();
  await page.reload();
  await expect(sixth).toHaveText(text ?? '');
  await expect(page.getByText('1 chosen')).toBeVisible();
  await expect(table.getByRole('checkbox', { name: /^Choose feature/ }).nth(2)).toBeChecked();
  await expect(table.getByRole('columnheader', { name: 'Top token' })).toBeVisible();
  await page.getByRole('button', { name: 'Choose none' }).click();
  await expect(page.getByRole('button', { name: /^Remove the filter on/ })).toBeVisible();
  expect(url).toContain('picked=');
});
