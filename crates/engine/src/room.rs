//! Making room: when each tier is due, and what happens when one fails. What a tier does is in
//! `context`.

use std::sync::Arc;

use crate::context::{self, COLLAPSE_AT, TRIM_TO};
use crate::event::{Ended, Event, Tier};
use crate::inbox::Interrupted;
use crate::listen::Moment;
use crate::message::{Item, Source, UserMessage};
use crate::model::{Collector, ItemKey};
use crate::prompt;
use crate::schedule::Tools;
use crate::session::Entry;
use crate::turn::Agent;

impl Agent {
    /// Makes room as far as it is due. A tier that fails falls to the next.
    pub(crate) async fn make_room(&mut self) -> Result<(), Ended> {
        let usable = self.meter.usable;
        if self.due(Tier::Trim) {
            self.shrink(Tier::Trim, usable * TRIM_TO / 100);
        }
        // What does not fit cannot be summarised either.
        if self.due(Tier::Summarise) && self.prompt() <= usable {
            self.summarise().await?;
        }
        if self.due(Tier::Collapse) {
            self.shrink(Tier::Collapse, (usable * COLLAPSE_AT / 100).saturating_sub(1));
        }
        Ok(())
    }

    fn due(&mut self, tier: Tier) -> bool {
        self.meter.due(tier, &self.session.folded().items)
    }

    /// The provider says that the prompt does not fit, whatever we estimate.
    pub(crate) fn overflowed(&mut self) {
        let before = self.prompt();
        self.shrink(Tier::Trim, before.min(self.meter.usable) * TRIM_TO / 100);
        if self.prompt() > before / 2 {
            self.shrink(Tier::Collapse, before / 2);
        }
    }

    /// Has the model summarise; a summary that fails, or that does not shrink, is a collapse.
    pub(crate) async fn summarise(&mut self) -> Result<(), Ended> {
        self.hear(Moment::Compacting).await.map_err(Ended::Failed)?;
        let before = self.prompt();
        let from = context::recent(&self.session.folded().items, self.meter.usable);
        let summary = self.summary().await?.filter(|text| !text.trim().is_empty());
        let entry = summary.map(|text| context::summarised(self.session.folded(), from, &text));
        let made = self.made(Tier::Summarise, entry.into_iter().collect())
            || self.shrink(Tier::Collapse, before.saturating_sub(1));
        if !made {
            self.tell(Event::Notice("nothing could be made shorter".to_owned()));
        }
        Ok(())
    }

    /// Shrinks the prompt to this many tokens, as far as the tier can, without a model. Whether it
    /// shrank.
    fn shrink(&mut self, tier: Tier, wanted: u64) -> bool {
        let (meter, folded, keep) = (&mut self.meter, self.session.folded(), &self.cx.keep);
        let entries = match tier {
            Tier::Trim => context::trim(meter, folded, wanted, keep),
            Tier::Summarise | Tier::Collapse => context::collapse(meter, folded, wanted, keep),
        };
        self.made(tier, entries)
    }

    /// Writes what makes room, if it does, and says how much it made. Whether it did.
    fn made(&mut self, tier: Tier, entries: Vec<Entry>) -> bool {
        let before = self.prompt();
        let after = context::after(&mut self.meter, self.session.folded(), &entries);
        self.meter.did(tier, after.min(before));
        if after < before {
            entries.into_iter().for_each(|entry| self.write(entry));
            self.tell(Event::Compacted { tier, before, after });
            self.say_facts();
        }
        after < before
    }

    /// What the model makes of the conversation; nothing when it fails.
    async fn summary(&mut self) -> Result<Option<String>, Ended> {
        let mut request = self.request();
        let ask = Item::User(UserMessage::text(Source::Reminder, prompt::SUMMARY));
        let key = ItemKey { journal: 0, line: 0, trimmed: 0 };
        request.items = request.items.iter().cloned().chain([(key, Arc::new(ask))]).collect();
        if self.cx.desk.budget.check(self.model.info()).is_err() {
            return Ok(None);
        }
        let (mut collector, mut nothing) = (Collector::default(), self.batch(Tools::default()));
        let stream = self.model.stream(request.clone());
        let listening = nothing.listen(stream, &mut collector, drop);
        match self.inbox.race(listening).await {
            Ok(Ok(())) => (),
            Ok(Err(_)) => return Ok(None),
            Err(Interrupted) => return Err(self.stopped()),
        }
        self.book(&collector, &request.items);
        let reply = collector.finish(self.model.info().origin.clone());
        Ok(reply.map(|reply| reply.text()))
    }
}
