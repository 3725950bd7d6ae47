import { fireEvent, screen, within } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';
import { answer, refuse } from '@/test/featureApi';
import { makePackedMap, TRAINING_ID } from '@/test/featureFactories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { FeatureMapView } from './FeatureMapView';

const onOpen = vi.fn();
const onRanges = vi.fn();
const element = <FeatureMapView trainingId={TRAINING_ID} {...{ onOpen, onRanges }} />;

beforeEach(() => {
  answer('get', '/features/map/packed', makePackedMap());
  onOpen.mockReset();
  onRanges.mockReset();
});

const at = (clientX: number, clientY: number) => ({ clientX, clientY });

it('lists what needs a look, and shows it in the table', async () => {
  const { user, container } = renderWithUser(element);
  const dead = await screen.findByRole('region', { name: 'Dead' });
  expect(dead).toHaveTextContent('33.3 %');
  await user.click(within(dead).getByRole('button', { name: 'Show in table' }));
  expect(onRanges).toHaveBeenLastCalledWith([{ column: 'n_fires', from: null, to: 0 }]);
  await user.click(within(screen.getByRole('region', { name: 'Dense' })).getByText('#108'));
  expect(onOpen).toHaveBeenCalledWith(8);
  await user.click(screen.getByText('0.950'));
  expect(window.location.search).toContain('compare=7.8');
  await expectAccessible(container);
});

it('tells the point under the pointer and opens it', async () => {
  renderWithUser(element);
  const canvas = await screen.findByRole('img', { name: /3 features, near each other/ });
  // The first point stands at the lower left, the second at the upper right.
  const [x, y] = [64 + 0.0283 * 560, 12 + 0.9717 * 508];
  fireEvent.pointerMove(canvas, at(x, y));
  fireEvent.pointerDown(canvas, at(x, y));
  fireEvent.pointerUp(canvas, at(x, y));
  expect(screen.getByRole('tooltip')).toHaveTextContent('#107 number');
  expect(onOpen).toHaveBeenCalledWith(7);
});

it('chooses points by a frame: to the table, or nearer', async () => {
  const { user } = renderWithUser(element);
  const canvas = await screen.findByRole('img', { name: /near each other/ });
  const frame = () => {
    fireEvent.pointerDown(canvas, at(64, 12));
    fireEvent.pointerMove(canvas, at(5_000, 500));
    fireEvent.pointerUp(canvas, at(5_000, 500));
  };
  frame();
  const chosen = screen.getByRole('group', { name: 'Chosen points' });
  await user.click(within(chosen).getByRole('button', { name: 'Zoom in' }));
  await user.click(screen.getByRole('button', { name: 'Show all' }));
  frame();
  const second = screen.getByRole('group', { name: 'Chosen points' });
  await user.click(within(second).getByRole('button', { name: 'Show in table' }));
  const [ranges] = onRanges.mock.lastCall as [{ column: string }[]];
  expect(ranges.map(({ column }) => column)).toEqual(['map_x', 'map_y']);
  await user.click(screen.getByRole('button', { name: 'Clear' }));
  await user.click(screen.getByRole('button', { name: 'Density × maximum' }));
  expect(screen.getByRole('img', { name: /by frequency/ })).toBeVisible();
});

it('says why there is no map', async () => {
  refuse('get', '/features/map/packed', 404, { code: 'NOT_FOUND', message: 'No such training.' });
  renderWithUser(element);
  expect(await screen.findByText('No such training.')).toBeVisible();
});
