//! What one wire remembers between requests: the bytes of items, and what the server rejected.

use std::collections::HashMap;
use std::sync::Arc;

use purlin_engine::message::{Item, Origin};
use purlin_engine::model::{ItemKey, Request};
use purlin_engine::tool::ToolSpec;
use serde_json::{Map, Value};

use super::encode;
use crate::vendor::Reasoning;

/// How many conversations are remembered: as many agents as can run at once, and their parents.
const CONVERSATIONS: usize = 24;

/// The bytes of the last requests, by conversation.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The last one used is the last one here.
    conversations: Vec<Conversation>,
}

#[derive(Debug, Default)]
struct Conversation {
    journal: u64,
    head: Option<Head>,
    items: Vec<(ItemKey, Arc<str>)>,
}

/// The bytes before the first item, with what they were made from.
#[derive(Debug)]
struct Head {
    params: Map<String, Value>,
    system: Arc<str>,
    tools: Arc<[ToolSpec]>,
    text: Arc<str>,
}

impl Memory {
    /// A request's body. Only items that were not in this conversation's last request are
    /// serialised.
    pub(super) fn body(
        &mut self,
        request: &Request,
        params: Map<String, Value>,
        own: &Origin,
        reasoning: Reasoning,
    ) -> String {
        let mut conversation = self.conversation(request);
        let head = conversation.head(request, params);
        conversation.update(&request.items, |item| encode::item(item, own, reasoning));
        let items = conversation.items.iter().map(|(_, text)| &**text);
        let length: usize = items.clone().map(str::len).sum();
        let mut body = String::with_capacity(head.len() + length + encode::TAIL.len());
        body.push_str(&head);
        body.extend(items);
        body.push_str(encode::TAIL);
        self.conversations.push(conversation);
        body
    }

    /// Takes out the conversation of a request; an old one makes room for a new one.
    fn conversation(&mut self, request: &Request) -> Conversation {
        let journal = request.items.last().map_or(0, |(key, _)| key.journal);
        let at = self.conversations.iter().position(|known| known.journal == journal);
        if let Some(at) = at {
            return self.conversations.remove(at);
        }
        if self.conversations.len() >= CONVERSATIONS {
            self.conversations.remove(0);
        }
        Conversation { journal, ..Conversation::default() }
    }
}

impl Conversation {
    fn head(&mut self, request: &Request, params: Map<String, Value>) -> Arc<str> {
        let same = |head: &&Head| {
            Arc::ptr_eq(&head.system, &request.system)
                && Arc::ptr_eq(&head.tools, &request.tools)
                && head.params == params
        };
        if let Some(head) = self.head.as_ref().filter(same) {
            return Arc::clone(&head.text);
        }
        let text: Arc<str> = encode::head(&params, &request.tools, &request.system).into();
        let (system, tools) = (Arc::clone(&request.system), Arc::clone(&request.tools));
        self.head = Some(Head { params, system, tools, text: Arc::clone(&text) });
        text
    }

    /// Makes `items` those of the request. As a rule they are the same and some more; where
    /// context was trimmed, what came after is the same too.
    fn update(&mut self, asked: &[(ItemKey, Arc<Item>)], encode: impl Fn(&Item) -> String) {
        let same = self.items.iter().zip(asked).take_while(|((had, _), (key, _))| had == key);
        let same = same.count();
        let mut others: HashMap<ItemKey, Arc<str>> = self.items.drain(same..).collect();
        self.items.extend(
            asked[same..].iter().map(|(key, item)| {
                (*key, others.remove(key).unwrap_or_else(|| encode(item).into()))
            }),
        );
    }
}
