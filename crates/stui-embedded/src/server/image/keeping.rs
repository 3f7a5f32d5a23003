//! What is kept alive: workspaces while something runs in them, registered objects while there is
//! room.

use super::Image;
use crate::value::Value;
use crate::vm::{Pin, WorkspaceId};

/// Share of the heap, in percent, beyond which the registry gives up half of its objects.
const MEMORY_SHORT_PERCENT: usize = 75;

impl Image {
    /// Drops workspaces that wait for their last user to end.
    pub(in crate::server) fn drop_doomed(&mut self) {
        let mut kept = Vec::new();
        for workspace in std::mem::take(&mut self.doomed) {
            if self.is_used(workspace) {
                kept.push(workspace);
            } else {
                self.vm.drop_workspace(workspace);
            }
        }
        self.doomed = kept;
    }

    /// Marks a workspace to be dropped as soon as nothing runs in it.
    pub(in crate::server) fn doom(&mut self, workspace: WorkspaceId) {
        self.doomed.push(workspace);
        self.drop_doomed();
    }

    fn is_used(&mut self, workspace: WorkspaceId) -> bool {
        self.debuggers.uses(workspace)
            || self.evaluations.all().into_iter().any(|tag| {
                self.evaluations
                    .get_mut(tag)
                    .is_some_and(|evaluation| evaluation.workspace == workspace)
            })
    }

    /// Registers a value and answers its id.
    pub(in crate::server) fn register(&mut self, session: Option<&str>, pin: Pin) -> String {
        let (id, dropped) = self.objects.add(session.map(str::to_owned), pin);
        self.unpin_all(dropped);
        id
    }

    /// Pins and registers a value and answers its id.
    pub(in crate::server) fn register_value(
        &mut self,
        session: Option<&str>,
        value: Value,
    ) -> String {
        let pin = self.vm.pin(value);
        self.register(session, pin)
    }

    /// Releases pins.
    pub(in crate::server) fn unpin_all(&mut self, pins: Vec<Pin>) {
        for pin in pins {
            self.vm.unpin(pin);
        }
    }

    /// Registered results are a convenience: when memory gets short, the older half goes.
    pub(super) fn make_room(&mut self) {
        let heap = self.vm.heap_stats();
        if heap.bytes > heap.limit_bytes / 100 * MEMORY_SHORT_PERCENT {
            let dropped = self.objects.shed();
            self.unpin_all(dropped);
        }
    }
}
