//! Sessions come and go.

use rand::rngs::StdRng;
use serde_json::json;
use stui_protocol::daemon::{KillSession, NewSession};

use super::ends::before;
use crate::asking::{Asking, new_id};
use crate::client::Client;
use crate::daemon::Daemon;
use crate::faults::image::ImageProcess;
use crate::faults::ledger::Language;
use crate::faults::scene::{Scene, patient};

/// Sessions are made, used and closed.
pub(super) struct SessionsComeAndGo {
    daemon: Daemon,
    image: ImageProcess,
    least: u64,
}

/// Sessions of one turn; a user may have 256 at a time.
const TURN: usize = 100;

impl SessionsComeAndGo {
    /// So many at least; a tenth of them before anything is measured.
    pub(super) fn new(least: u64) -> Self {
        let image = ImageProcess::embedded();
        let daemon = before(&image, patient());
        let scene = Self {
            daemon,
            image,
            least,
        };
        for _ in 0..least.div_ceil(10 * TURN as u64) {
            scene.turn();
        }
        scene
    }

    fn turn(&self) {
        let client: Client = self.daemon.client();
        let made: Vec<_> = (0..TURN)
            .map(|_| {
                client
                    .ask::<NewSession>(json!({"name": new_id("brief")}))
                    .session
                    .name
            })
            .collect();
        for name in made {
            let parameters = json!({"session": name, "code": "x := 3 + 4", "wait_ms": 20_000});
            client
                .reply("evaluate", parameters)
                .outcome
                .expect("an evaluation");
            client.ask::<KillSession>(json!({"session": name}));
        }
    }
}

impl Scene for SessionsComeAndGo {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        self.image.language()
    }

    fn fault(&mut self, _dice: &mut StdRng) -> u64 {
        self.turn();
        TURN as u64
    }

    fn is_enough(&self, faults: u64) -> bool {
        faults >= self.least
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}
