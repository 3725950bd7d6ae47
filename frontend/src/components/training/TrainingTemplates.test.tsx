import { screen, waitFor } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { makeTrainingTemplate } from '@/test/factories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { answer, answerPage, refuse, server } from '@/test/server';
import { http, HttpResponse } from 'msw';
import { TrainingTemplates } from './TrainingTemplates';

const values = { expansion_factor: 8, training_steps: 10_000, learning_rate: 1e-4 };
const template = makeTrainingTemplate({ name: 'Fast', is_favorite: true });

async function show(onLoad = vi.fn()) {
  const rendered = renderWithUser(
    <TrainingTemplates encoderType="sparse" values={values} obstacle={null} onLoad={onLoad} />,
  );
  await rendered.user.click(await screen.findByRole('button', { name: 'Training Templates (1)' }));
  return { ...rendered, onLoad };
}

beforeEach(() => answerPage('/templates/training', [template] as never));

describe('training templates', () => {
  it('show what they hold, and are taken up', async () => {
    const { user, container, onLoad } = await show();
    expect(screen.getByText('sparse · LR 3e-4 · 4x · 5,000 steps')).toBeVisible();
    await expectAccessible(container);
    await user.click(screen.getByRole('button', { name: 'Load Fast' }));
    expect(onLoad).toHaveBeenCalledWith('sparse', template.hyperparameters);
  });

  it('keep the current settings, under a name made by rule when none is typed', async () => {
    const seen = answer('post', '/templates/training', template as never, 201);
    const { user } = await show();
    await user.type(screen.getByLabelText('Description (optional)'), 'a start');
    await user.click(screen.getByRole('button', { name: 'Save Current Config' }));
    await waitFor(() => expect(seen).toHaveLength(1));
    expect(seen[0]?.body).toMatchObject({
      name: expect.stringMatching(/^sparse_8x_10000steps_\d{4}$/) as string,
      description: 'a start',
      encoder_type: 'sparse',
      hyperparameters: values,
    });
  });

  it('say beside the button why one cannot be saved', async () => {
    refuse('post', '/templates/training', { code: 'CONFLICT', message: 'The name is taken.' }, 409);
    const { user } = await show();
    await user.click(screen.getByRole('button', { name: 'Save Current Config' }));
    expect(await screen.findByText('The name is taken.')).toBeVisible();
  });

  it('are marked and deleted', async () => {
    const marked = answer('patch', `/templates/training/${template.id}`, template as never);
    const removed = answer('delete', `/templates/training/${template.id}`, template as never);
    const { user } = await show();
    await user.click(screen.getByRole('button', { name: 'Favourite Fast' }));
    await waitFor(() => expect(marked[0]?.body).toEqual({ is_favorite: false }));
    await user.click(screen.getByRole('button', { name: 'Delete Fast' }));
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    await waitFor(() => expect(removed).toHaveLength(1));
  });

  it('come in from a file, and a file that is none is refused', async () => {
    const outcome = { created: 2, replaced: 0, skipped: 1, outcomes: [] };
    const seen = answer('post', '/templates/import', outcome);
    const { user } = await show();
    const input = screen.getByLabelText('Templates to import');
    await user.upload(input, new File(['no json'], 'x.json', { type: 'application/json' }));
    expect(await screen.findByText(/This file is no JSON/)).toBeVisible();
    await user.upload(input, new File(['{"version": 1}'], 'x.json', { type: 'application/json' }));
    await waitFor(() => expect(seen[0]?.body).toEqual({ version: 1 }));
  });

  it('go out as one dated file', async () => {
    const bundle = {
      format: 'mistudio-templates',
      version: 1,
      exported_at: '2026-11-25T09:00:00Z',
    };
    answerBundle(bundle);
    const made: { download: string }[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      made.push({ download: this.download });
    });
    URL.createObjectURL = () => 'blob:x';
    URL.revokeObjectURL = () => undefined;
    const { user } = await show();
    await user.click(screen.getByRole('button', { name: 'Export' }));
    await waitFor(() => expect(made).toEqual([{ download: 'mistudio-templates-2026-11-25.json' }]));
  });
});

function answerBundle(bundle: Record<string, unknown>) {
  server.use(http.get('*/api/v1/templates/export', () => HttpResponse.json(bundle)));
}
