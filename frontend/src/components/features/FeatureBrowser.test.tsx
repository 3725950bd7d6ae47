import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';
import { useSteeringStore } from '@/stores/steeringStore';
import { useUiStore } from '@/stores/uiStore';
import { answer, answerPage, refuse } from '@/test/featureApi';
import { makeFeature, makeFeatureRow } from '@/test/featureFactories';
import { prepareFeatures, rows } from '@/test/featurePanel';
import { expectAccessible, renderWithUser } from '@/test/render';
import { server } from '@/test/server';
import { FeaturesPanel } from './FeaturesPanel';

beforeEach(prepareFeatures);

describe('the table', () => {
  it('shows figures, context and what was not measured', async () => {
    const { container } = renderWithUser(<FeaturesPanel />);
    const row = (
      await screen.findByRole('button', { name: 'Open feature 107' })
    ).closest<HTMLElement>('[role=row]')!;
    expect(row).toHaveTextContent('1.23 %');
    expect(row).toHaveTextContent('4.25');
    expect(within(row).getByTitle('·number 4.250')).toHaveStyle({ color: 'rgb(255,255,255)' });
    expect(screen.getByText('Never fired')).toBeVisible();
    expect(screen.getByText('Interpretable')).toBeVisible();
    await expectAccessible(container);
  });

  it('asks the server for search, order and favourites and keeps them in the address', async () => {
    const queries = answerPage('/features', rows);
    const { user } = renderWithUser(<FeaturesPanel />);
    await screen.findByRole('button', { name: 'Open feature 107' });
    await user.selectOptions(screen.getByRole('combobox', { name: 'Sort by' }), 'Max activation');
    await user.click(screen.getByRole('button', { name: /Descending/ }));
    await user.click(screen.getByRole('button', { name: 'Favourites' }));
    await user.type(screen.getByRole('searchbox'), 'num');
    await waitFor(() => expect(queries.at(-1)!.get('search')).toBe('num'));
    expect(Object.fromEntries(queries.at(-1)!)).toMatchObject({
      sort_by: 'max_activation',
      order: 'asc',
      is_favorite: 'true',
    });
    expect(window.location.search).toContain('fq=num');
  });

  it('reads a search of several words as a text, once its rows are there', async () => {
    const queries = answerPage('/features', rows);
    const { user } = renderWithUser(<FeaturesPanel />);
    await screen.findByRole('button', { name: 'Open feature 107' });
    await user.type(screen.getByRole('searchbox'), 'the');
    await waitFor(() => expect(queries.at(-1)!.get('search')).toBe('the'));
    expect(queries.some((query) => query.has('live'))).toBe(false);
    await user.type(screen.getByRole('searchbox'), ' number');
    // Half a word is read as well where its rows come before the next letter.
    await waitFor(() => {
      const asked = queries.slice(-2).map((query) => [query.get('search'), query.get('live')]);
      expect(asked).toEqual([
        ['the number', null],
        ['the number', 'true'],
      ]);
    });
  });

  it('says why a search was not read as a text, and reads it again', async () => {
    const live = { is_answered: false, n_hits: 0, message: 'The model is still being loaded.' };
    answerPage('/features', rows, false, rows.length, { live });
    window.history.replaceState(null, '', '?fq=the+number');
    const { user } = renderWithUser(<FeaturesPanel />);
    const why = await screen.findByText(/not read as a text: The model is still being loaded/);
    expect(why).toHaveTextContent('2 features');
    answerPage('/features', rows, false, rows.length, {
      live: { is_answered: true, n_hits: 1, message: null },
    });
    await user.click(screen.getByRole('button', { name: 'Read again' }));
    await waitFor(() => expect(screen.queryByText(/not read as a text/)).toBeNull());
  });

  it('shows no share of interpretable features where no score was measured', async () => {
    const unscored = makeFeatureRow({ id: 7, interpretability_score: null });
    server.use(
      http.get('*/api/v1/features', ({ request }) => {
        const asked = new URL(request.url).searchParams;
        const isBest = asked.getAll('range').some((range) => range.startsWith('interpret'));
        const items = isBest ? [] : [unscored];
        const pagination = { page: 1, limit: 50, total: items.length, has_next: false };
        return HttpResponse.json({ data: items, pagination, meta: {} });
      }),
    );
    renderWithUser(<FeaturesPanel />);
    expect(await screen.findByText('no scores were measured')).toBeVisible();
    expect(screen.queryByText('0.0 %')).toBeNull();
  });

  it('offers a way back from a filter that nothing matches', async () => {
    window.history.replaceState(null, '', '?fq=zzz');
    answerPage('/features', []);
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByRole('button', { name: 'Show all features' }));
    expect(window.location.search).not.toContain('fq');
  });

  it('says why the page could not be read', async () => {
    refuse('get', '/features', 500, { code: 'INTERNAL_ERROR', message: 'Something broke.' });
    const { user } = renderWithUser(<FeaturesPanel />);
    await screen.findByText('Something broke.');
    answerPage('/features', rows);
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('button', { name: 'Open feature 108' })).toBeVisible();
  });

  it('marks a favourite at once and takes it back when it cannot be saved', async () => {
    refuse('patch', '/features/7', 500, { code: 'INTERNAL_ERROR', message: 'Disk full.' });
    const { user } = renderWithUser(<FeaturesPanel />);
    const star = await screen.findByRole('button', { name: 'Favourite feature 107' });
    await user.click(star);
    await waitFor(() => expect(useUiStore.getState().toasts).toHaveLength(1));
    expect(star).toHaveAttribute('aria-pressed', 'false');
  });

  it('works by keyboard', async () => {
    const { user } = renderWithUser(<FeaturesPanel />);
    const first = await screen.findByRole('button', { name: 'Open feature 107' });
    await user.keyboard('j');
    expect(first).toHaveFocus();
    await user.keyboard('jk/');
    expect(screen.getByRole('searchbox')).toHaveFocus();
    first.focus();
    await user.keyboard('s');
    expect(useSteeringStore.getState().config.steered).toEqual([
      { id: 7, coefficient: 1, unit: 'max_multiple' },
    ]);
    expect(window.location.search).toContain('tab=steering');
  });

  it('draws and fetches only what is in sight, and keeps its height', async () => {
    const many = Array.from({ length: 100 }, (_, i) =>
      makeFeatureRow({ id: i + 1, neuron_index: i + 1 }),
    );
    const queries = answerPage('/features', many, true, 131_072);
    renderWithUser(<FeaturesPanel />);
    expect(await screen.findByText('131,072 features')).toBeVisible();
    const box = screen.getByRole('region', { name: 'Features' });
    expect(within(box).getAllByRole('row').length).toBeLessThan(40);
    expect(within(box).getByRole('table')).toHaveAttribute('aria-rowcount', '131073');
    fireEvent.scroll(box, { target: { scrollTop: 48 * 100_000 } });
    await waitFor(() => expect(queries.at(-1)!.get('page')).toBe('1001'));
    expect(await within(box).findByRole('button', { name: 'Open feature 10' })).toBeVisible();
  });

  it('sorts by a heading, and has the columns that were chosen', async () => {
    const queries = answerPage('/features', rows);
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByRole('button', { name: 'Max act.' }));
    await waitFor(() => expect(queries.at(-1)!.get('sort_by')).toBe('max_activation'));
    await user.click(screen.getByRole('button', { name: 'Columns' }));
    await user.click(screen.getByRole('checkbox', { name: 'Firings' }));
    await user.click(screen.getByRole('checkbox', { name: 'Example context' }));
    expect(screen.getByRole('columnheader', { name: 'Firings' })).toBeVisible();
    expect(screen.queryByRole('columnheader', { name: 'Example context' })).toBeNull();
    expect(window.location.search).toContain('cols=label.frequency.score.max.fires');
    window.localStorage.clear();
  });

  it('names the filters, each with its own way out', async () => {
    window.history.replaceState(null, '', '?fq=num&favourites=1');
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByRole('button', { name: 'Remove the favourites filter' }));
    await user.click(screen.getByRole('button', { name: 'Remove the search' }));
    expect(window.location.search).toBe('');
  });

  it('compares two features side by side', async () => {
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByRole('button', { name: 'Compare feature 107' }));
    expect(screen.getByRole('button', { name: 'Side by side' })).toBeDisabled();
    (await screen.findByRole('button', { name: 'Open feature 108' })).focus();
    await user.keyboard('c');
    expect(window.location.search).toContain('compare=7.8');
    await user.click(screen.getByRole('button', { name: 'Side by side' }));
    const dialog = await screen.findByRole('dialog', { name: 'Compare features' });
    expect(await within(dialog).findByRole('article', { name: 'Feature #108' })).toBeVisible();
    await within(dialog).findAllByText('Strongest contexts');
    await expectAccessible(dialog);
    await user.keyboard('{Escape}');
    await user.click(screen.getByRole('button', { name: 'Clear' }));
    expect(screen.queryByRole('region', { name: 'Compare tray' })).toBeNull();
  });

  it('says why each hit matched, and puts the best match first', async () => {
    const match = { where: 'fires_on' as const, text: ' num', weight: 0.5 };
    const queries = answerPage('/features', [makeFeatureRow({ matches: [match] })]);
    window.history.replaceState(null, '', '?fq=num');
    renderWithUser(<FeaturesPanel />);
    expect(await screen.findByText('fires on “·num” 50 %')).toBeVisible();
    expect(queries.map((query) => query.get('sort_by'))).toContain('relevance');
    expect(screen.getByRole('combobox', { name: 'Sort by' })).toHaveValue('relevance');
  });

  it('filters by the range of a figure', async () => {
    const queries = answerPage('/features', rows);
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByRole('button', { name: 'Filter' }));
    await user.selectOptions(screen.getByRole('combobox', { name: 'Figure' }), 'Max activation');
    await user.type(screen.getByRole('textbox', { name: 'From' }), '9');
    await user.type(screen.getByRole('textbox', { name: 'To' }), '2');
    expect(screen.getByRole('button', { name: 'Add Filter' })).toBeDisabled();
    await user.clear(screen.getByRole('textbox', { name: 'To' }));
    await user.click(screen.getByRole('button', { name: 'Add Filter' }));
    expect(await screen.findByText('max activation from 9.00')).toBeVisible();
    await waitFor(() =>
      expect(queries.map((query) => query.get('range'))).toContain('max_activation:9:'),
    );
    await user.click(screen.getByRole('button', { name: 'Remove the filter on max activation' }));
    expect(window.location.search).not.toContain('frange');
  });

  it('does something with several rows at once, chosen by keyboard or mouse', async () => {
    window.history.replaceState(null, '', '/');
    const changes = answer('patch', '/features/:id', makeFeature({ is_favorite: true }));
    answer('post', '/features/:id/undo', makeFeature());
    const { user } = renderWithUser(<FeaturesPanel />);
    (await screen.findByRole('button', { name: 'Open feature 107' })).focus();
    await user.keyboard('x');
    await user.click(screen.getByRole('checkbox', { name: 'Choose feature 108' }));
    expect(window.location.search).toContain('picked=7.8');
    const bar = screen.getByRole('group', { name: 'Chosen features' });
    expect(bar).toHaveTextContent('2 chosen');
    await user.click(within(bar).getByRole('button', { name: 'Mark the chosen as favourites' }));
    await waitFor(() => expect(changes).toEqual([{ is_favorite: true }, { is_favorite: true }]));
    await waitFor(() =>
      expect(useUiStore.getState().toasts.at(-1)?.message).toBe('2 features marked'),
    );
    await user.click(within(bar).getByRole('button', { name: 'Tag' }));
    await user.type(
      within(bar).getByRole('textbox', { name: 'Tag of the chosen' }),
      'bible{Enter}',
    );
    await waitFor(() => expect(changes).toHaveLength(4));
    expect(changes[2]).toMatchObject({ tags: expect.arrayContaining(['bible']) as unknown });
    await user.click(within(bar).getByRole('button', { name: 'Compare the chosen' }));
    expect(window.location.search).toContain('compare=7.8&comparing=1');
    await user.keyboard('{Escape}');
    await user.click(within(bar).getByRole('button', { name: 'Steer with the chosen' }));
    await waitFor(() =>
      expect(useSteeringStore.getState().config.steered.map(({ id }) => id)).toEqual([7, 8]),
    );
    await user.click(within(bar).getByRole('button', { name: 'Choose none' }));
    expect(window.location.search).not.toContain('picked');
  });

  it('goes to the last row and back by End and Home', async () => {
    const { user } = renderWithUser(<FeaturesPanel />);
    (await screen.findByRole('button', { name: 'Open feature 107' })).focus();
    await user.keyboard('{End}');
    await waitFor(() =>
      expect(screen.getByRole('button', { name: 'Open feature 108' })).toHaveFocus(),
    );
    await user.keyboard('{Home}');
    await waitFor(() =>
      expect(screen.getByRole('button', { name: 'Open feature 107' })).toHaveFocus(),
    );
  });
});
