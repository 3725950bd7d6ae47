import type { ComponentProps } from 'react';
import { Button } from './Button';

/** What sends a form: the one large button below it. */
export function SubmitButton(
  props: Omit<ComponentProps<typeof Button>, 'type' | 'size' | 'block'>,
) {
  return <Button type="submit" variant="primary" size="lg" block {...props} />;
}
