//! Which call of a tool a fragment belongs to.

use super::Plain;
use crate::oracles::heard::Heard;

pub(super) struct Known {
    pub(super) choice: u32,
    pub(super) index: i32,
    pub(super) id: String,
    pub(super) has_name: bool,
    pub(super) has_arguments: bool,
    pub(super) is_server: bool,
    /// Of several at an index the one with the highest counts.
    pub(super) turn: usize,
}

/// What a fragment says of its call.
#[derive(Default)]
pub(super) struct Call<'v> {
    pub(super) choice: u32,
    pub(super) index: Option<i32>,
    pub(super) id: &'v str,
    pub(super) name: &'v str,
    pub(super) has_arguments: bool,
    pub(super) is_new: bool,
    pub(super) is_server: bool,
}

impl Plain {
    pub(super) fn is_server(&self, index: i32) -> bool {
        let calls = self
            .calls
            .iter()
            .filter(|call| call.choice == 0 && call.index == index);
        calls
            .max_by_key(|call| call.turn)
            .is_some_and(|call| call.is_server)
    }

    /// Finds the call that a fragment belongs to, or begins one, and gives its index.
    pub(super) fn call(&mut self, call: &Call<'_>) -> i32 {
        let of_choice = |known: &&mut Known| known.choice == call.choice;
        let count = self
            .calls
            .iter()
            .filter(|known| known.choice == call.choice)
            .count();
        let turn = 1 + self
            .calls
            .iter()
            .map(|known| known.turn)
            .max()
            .unwrap_or_default();
        let index = call.index;
        let here = |known: &Known| index.is_none_or(|index| known.index == index);
        let mut known: Vec<&mut Known> = self.calls.iter_mut().filter(of_choice).collect();
        known.sort_by_key(|known| std::cmp::Reverse(known.turn));
        let latest = known.iter().position(|known| here(known));
        let by_id = known
            .iter()
            .position(|known| here(known) && known.id == call.id);
        let at = match (latest, index) {
            _ if call.is_new => None,
            (None, _) => None,
            (Some(at), Some(_)) => {
                let id = &known[at].id;
                match call.id.is_empty() || id.is_empty() || id == call.id {
                    true => Some(at),
                    false => by_id,
                }
            }
            (Some(_), None) if !call.id.is_empty() => by_id,
            (Some(at), None) => {
                let last = &known[at];
                let is_other = !call.name.is_empty() && last.has_name && last.has_arguments;
                (!is_other).then_some(at)
            }
        };
        let mut is_news = false;
        let known = match at {
            Some(at) => {
                let is_latest = !known[..at]
                    .iter()
                    .any(|later| later.index == known[at].index);
                let known = known.swap_remove(at);
                if !is_latest {
                    known.turn = turn;
                    is_news = true;
                }
                known
            }
            None => {
                is_news = true;
                self.calls.push(Known {
                    choice: call.choice,
                    index: index.unwrap_or(i32::try_from(count).unwrap_or(i32::MAX)),
                    id: String::new(),
                    has_name: false,
                    has_arguments: false,
                    is_server: call.is_server,
                    turn,
                });
                self.calls.last_mut().expect("the new one")
            }
        };
        if known.id.is_empty() && !call.id.is_empty() {
            known.id = call.id.into();
            is_news = true;
        }
        let name = if known.has_name { "" } else { call.name };
        if is_news || !name.is_empty() {
            let start = match known.is_server {
                true => Heard::ServerCall,
                false => Heard::Call,
            };
            self.heard.push(start(
                known.choice,
                known.index,
                known.id.clone(),
                name.into(),
            ));
        }
        known.has_name |= !name.is_empty();
        known.has_arguments |= call.has_arguments;
        known.index
    }
}
