import { expect, test } from '@playwright/test';
import { collectErrors, expectNoSeriousFault, shot } from './page';

const LONG = { timeout: 240_000 };

test('four dictionaries are trained in one run', async ({ page }) => {
  const errors = collectErrors(page);
  await page.goto('/?tab=training');
  await expect(page.getByLabel('Model', { exact: true })).toContainText('glass-en');
  await page.getByLabel('Active Latents (k)', { exact: true }).fill('8');
  await page.getByLabel('Training Steps', { exact: true }).fill('60');
  await page.getByLabel('Expansion Factor', { exact: true }).selectOption('4x');
  await page.getByLabel('Batch Size', { exact: true }).selectOption('256');
  await page.getByRole('button', { name: 'Several at Once' }).click();
  await page.getByLabel('Values of k', { exact: true }).fill('4, 8, x');
  await expect(page.getByText('Different whole numbers, with commas between')).toBeVisible();
  await page.getByLabel('Values of k', { exact: true }).fill('4, 8');
  await page.getByLabel('Seeds', { exact: true }).fill('0, 1');
  await expect(page.getByRole('button', { name: /4 dictionaries/ })).toBeVisible();
  await page.getByRole('button', { name: /4 dictionaries/ }).scrollIntoViewIfNeeded();
  await expectNoSeriousFault(page);
  await shot(page, '50-several-at-once');

  const before = await page.getByRole('article').count();
  await page.getByRole('button', { name: 'Start 4 Trainings' }).click();
  await expect(page.getByRole('article')).toHaveCount(before + 4);
  for (const name of ['k 4, seed 0', 'k 4, seed 1', 'k 8, seed 0', 'k 8, seed 1']) {
    const card = page.getByRole('article', { name: new RegExp(name) }).first();
    await expect(card.getByText('Completed')).toBeVisible(LONG);
  }
  await page.getByRole('heading', { name: /^Training Jobs/ }).scrollIntoViewIfNeeded();
  await expectNoSeriousFault(page);
  await shot(page, '51-four-trainings');
  expect(errors).toEqual([]);
});

test('strengths are swept, and the best is kept as a preset', async ({ page }) => {
  const errors = collectErrors(page);
  const answer = await page.request.get('/api/v1/trainings?limit=100');
  const { data } = (await answer.json()) as { data: { id: string; n_features: number }[] };
  const training = data.find(({ n_features: n }) => n > 0)?.id ?? '';
  await page.goto(`/?tab=features&training=${training}`);
  const table = page.getByRole('region', { name: 'Features', exact: true });
  await expect(table.getByRole('button', { name: /^Open feature/ }).first()).toBeVisible();
  await table
    .getByRole('button', { name: /^Steer with feature/ })
    .first()
    .click();
  await expect(page.getByText('Selected Features (1)')).toBeVisible();
  await page.getByRole('button', { name: 'Sweep', exact: true }).click();
  await page
    .getByLabel('Prompts, one per line', { exact: true })
    .fill('The happy cat went to the\nThe sad dog saw');
  await page.getByLabel('Strengths', { exact: true }).fill('0.5, 1, 2');
  await page.getByLabel('Max tokens', { exact: true }).fill('12');
  await expectNoSeriousFault(page);
  await shot(page, '52-sweep-configuration');
  await page.getByRole('button', { name: 'Sweep Strengths' }).click();
  const sweep = page.getByRole('region', { name: /^Sweep of feature/ });
  await expect(sweep).toBeVisible(LONG);
  await expect(page.getByText(/2 of 2 prompts done/)).toBeVisible(LONG);
  await sweep.scrollIntoViewIfNeeded();
  await expectNoSeriousFault(page);
  await shot(page, '53-sweep');
  await page.screenshot({ path: 'test-results/screens/53-sweep-whole.png', fullPage: true });

  await page.reload();
  await expect(page.getByLabel('Strengths', { exact: true })).toHaveValue('0.5, 1, 2');
  await expect(page.getByLabel('Prompts, one per line', { exact: true })).toHaveValue(
    /The sad dog saw/,
  );
  await expect(sweep).toBeVisible();

  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await page.getByRole('button', { name: /^Steering Presets/ }).click();
  await page.getByLabel('Name', { exact: true }).fill('cats');
  await page.getByRole('button', { name: 'Save Current Config' }).click();
  await expect(page.getByRole('button', { name: 'Load cats' })).toBeVisible();
  await expectNoSeriousFault(page);
  await shot(page, '54-presets');
  const chosen = page.getByRole('region', { name: 'Select features to steer' });
  await chosen.getByRole('button', { name: /^Remove / }).click();
  await expect(page.getByText('Selected Features (0)')).toBeVisible();
  await page.getByRole('button', { name: 'Load cats' }).click();
  await expect(page.getByText('Selected Features (1)')).toBeVisible();
  expect(errors).toEqual([]);
});
