/** Events into systemd's journal. */
import { encodeJournalMessage } from '../../core/journal.ts';
import { log } from '../../core/log.ts';
import { sendToJournal } from '../../host/journal-socket.ts';
import type { ToldEvent } from '../state/events.ts';
import { eventMessage } from './journal.ts';

/** An event that the journal does not take is said to be lost, and what it tells of goes on, as under Podman. */
export function journalTeller(store: string): (event: ToldEvent) => void {
  return (event) => {
    try {
      sendToJournal(encodeJournalMessage(eventMessage(event, store)));
    } catch (error) {
      log.error(`Unable to write ${event.type} event: ${(error as Error).message}`);
    }
  };
}
