import type { Ref } from 'react';

/** What every way of trying features on words is told. */
export interface ProbeProps {
  trainingId: string;
  /** Only this feature is asked about; without it, which features fire at all. */
  featureId?: number;
  onOpen: (id: number) => void;
  textRef?: Ref<HTMLTextAreaElement>;
}
