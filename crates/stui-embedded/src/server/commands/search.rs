//! `search`.

use stui_protocol::image::{Search, SearchKind, SearchResult};

use super::browse::method_info;
use super::{Done, answer};
use crate::server::image::Image;
use crate::vm;

/// Most methods that are found at all; more is no search but a browse.
const MAX_FOUND: usize = 10_000;

/// Methods answered unless the request says otherwise.
const DEFAULT_LIMIT: usize = 200;

/// `search`.
pub(super) fn run(image: &Image, command: Search) -> Done {
    let search = match command.kind {
        SearchKind::Senders => vm::Search::Senders(command.text),
        SearchKind::Implementors => vm::Search::Implementors(command.text),
        SearchKind::References => vm::Search::References(command.text),
        SearchKind::Source => vm::Search::Source(command.text),
    };
    let found = image.vm.search(&search, MAX_FOUND);
    let total_count = found.len() as u64;
    let page = found
        .into_iter()
        .skip(command.offset)
        .take(command.limit.unwrap_or(DEFAULT_LIMIT))
        .map(method_info);
    answer::<Search>(&SearchResult {
        methods: page.collect(),
        total_count,
    })
}
