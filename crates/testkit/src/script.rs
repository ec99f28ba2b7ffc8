//! Which round answers which request.

use crate::reply::Reply;
use crate::server::Received;
use crate::wire::Wire;

/// The answer to one request.
#[derive(Clone, Debug)]
pub enum Round {
    /// A streamed reply, perhaps with faults.
    Reply(Reply),
    /// A response as it stands.
    Wire(Wire),
}

impl From<Reply> for Round {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

impl From<Wire> for Round {
    fn from(wire: Wire) -> Self {
        Self::Wire(wire)
    }
}

type Matcher = Box<dyn Fn(&Received) -> bool + Send + Sync>;
type Author = Box<dyn Fn(&Received) -> Round + Send + Sync>;

/// What the scripted model says: a list of rounds, each said once, or a function of the request.
pub struct Script(Kind);

enum Kind {
    Rounds(Vec<Entry>),
    By(Author),
}

struct Entry {
    wanted: Matcher,
    round: Round,
}

impl Script {
    /// A script without rounds.
    #[allow(clippy::new_without_default)] // an empty script is a beginning, not a default
    pub fn new() -> Self {
        Self(Kind::Rounds(Vec::new()))
    }

    /// Every request is answered by this function, which sees nothing but the request.
    pub fn by(author: impl Fn(&Received) -> Round + Send + Sync + 'static) -> Self {
        Self(Kind::By(Box::new(author)))
    }

    /// Then this, whatever is asked.
    #[must_use]
    pub fn then(self, round: impl Into<Round>) -> Self {
        self.when(|_| true, round)
    }

    /// Then this, but only to a request that `wanted` accepts. A request gets the first round not
    /// yet said that it may have, so agents running side by side each find their own. A script
    /// made by a function has no rounds, and stays as it is.
    #[must_use]
    pub fn when(
        mut self,
        wanted: impl Fn(&Received) -> bool + Send + Sync + 'static,
        round: impl Into<Round>,
    ) -> Self {
        if let Kind::Rounds(rounds) = &mut self.0 {
            rounds.push(Entry { wanted: Box::new(wanted), round: round.into() });
        }
        self
    }
}

impl<R: Into<Round>> FromIterator<R> for Script {
    fn from_iter<I: IntoIterator<Item = R>>(rounds: I) -> Self {
        rounds.into_iter().fold(Self::new(), Self::then)
    }
}

/// A script being played.
pub(crate) struct Playing {
    script: Script,
    said: std::sync::Mutex<Vec<bool>>,
}

impl Playing {
    pub(crate) fn new(script: Script) -> Self {
        let rounds = match &script.0 {
            Kind::Rounds(rounds) => rounds.len(),
            Kind::By(_) => 0,
        };
        Self { script, said: vec![false; rounds].into() }
    }

    /// The round for this request, unless the script has none left for it.
    pub(crate) fn round(&self, request: &Received) -> Option<Round> {
        match &self.script.0 {
            Kind::By(author) => Some(author(request)),
            Kind::Rounds(rounds) => {
                let mut said = crate::latch::hold(&self.said);
                let free = |(entry, said): &(&Entry, &mut bool)| !**said && (entry.wanted)(request);
                let (entry, said) = rounds.iter().zip(said.iter_mut()).find(free)?;
                *said = true;
                Some(entry.round.clone())
            }
        }
    }

    /// How many rounds nobody asked for.
    pub(crate) fn left(&self) -> usize {
        crate::latch::hold(&self.said).iter().filter(|said| !**said).count()
    }
}
