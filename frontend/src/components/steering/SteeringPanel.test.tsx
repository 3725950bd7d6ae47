import { screen, waitFor } from '@testing-library/react';
import { expect, it } from 'vitest';
import { answerPage, refuse } from '@/test/featureApi';
import { model, openSteering, prepareSteeringScreen } from '@/test/steeringScreen';

prepareSteeringScreen();

it('says when trainings and models cannot be read, and tries again', async () => {
  refuse('get', '/models', 503, { code: 'SERVICE_UNAVAILABLE', message: 'Database away.' });
  const { user } = openSteering('?tab=steering');
  await screen.findByText('Database away.');
  answerPage('/models', [model]);
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  await waitFor(() => expect(screen.queryByText('Database away.')).toBeNull());
});
