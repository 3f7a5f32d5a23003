//! The way to the image, or from the clients to the daemon, is cut.

use std::path::PathBuf;

use rand::rngs::StdRng;

use super::ends::before;
use crate::daemon::{Daemon, Surroundings};
use crate::faults::image::ImageProcess;
use crate::faults::ledger::{Language, Ledger};
use crate::faults::scene::{Run, Scene, impatient, ipc, rest_for_up_to};
use crate::networks::Networks;
use crate::proxy::{Proxy, Weather};

/// Both links to the image lead over a proxy.
pub(super) struct ImageLink {
    daemon: Daemon,
    roads: [Proxy; 2],
    weather: Weather,
    image: ImageProcess,
}

impl ImageLink {
    pub(super) fn new(weather: Weather) -> Self {
        let image = ImageProcess::embedded();
        let road = |name: &str| {
            let front = image.dir().join(format!("{name}-road"));
            Proxy::between(&front, &image.dir().join(name))
        };
        let roads = [road("image"), road("events")];
        let [endpoint, events] = [0, 1].map(|index: usize| ipc(roads[index].path()));
        let flags = ["--image", &endpoint, "--image-events", &events];
        let daemon = Daemon::start_under(impatient(), &flags);
        Self {
            daemon,
            roads,
            weather,
            image,
        }
    }
}

impl Scene for ImageLink {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        self.image.language()
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        weather_for_a_while(&self.roads, self.weather, dice)
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}

/// The clients reach the daemon over a proxy.
pub(super) struct ClientLink {
    daemon: Daemon,
    road: [Proxy; 1],
    weather: Weather,
    image: ImageProcess,
}

impl ClientLink {
    pub(super) fn new(weather: Weather) -> Self {
        let image = ImageProcess::embedded();
        let daemon = before(&image, impatient());
        let front = daemon.dir().join("road");
        let road = [Proxy::between(&front, &daemon.socket())];
        Self {
            daemon,
            road,
            weather,
            image,
        }
    }
}

impl Scene for ClientLink {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        self.image.language()
    }

    fn socket(&mut self) -> PathBuf {
        self.road[0].path().to_owned()
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        weather_for_a_while(&self.road, self.weather, dice)
    }

    fn sends_again(&self) -> bool {
        true
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}

/// Bad weather on all roads, and good weather again; answers how many connections it broke, or one
/// when it breaks none.
fn weather_for_a_while(roads: &[Proxy], weather: Weather, dice: &mut StdRng) -> u64 {
    let broken = || roads.iter().map(Proxy::broken).sum::<u64>();
    let before = broken();
    for road in roads {
        road.set(weather);
        if weather == Weather::EverySecondConnect {
            road.cut();
        }
    }
    rest_for_up_to(dice, 1500);
    for road in roads {
        road.set(Weather::Clear);
    }
    (broken() - before).max(1)
}

/// The image is on another machine, and packets between them are dropped or refused.
pub(super) struct Packets {
    daemon: Daemon,
    // Before the networks that it is in.
    image: ImageProcess,
    networks: Networks,
    cut: fn(&Networks),
}

impl Packets {
    /// # Errors
    /// What is missing where there can be no network namespaces.
    pub(super) fn new(run: &Run, cut: fn(&Networks)) -> Result<Self, String> {
        let networks = Networks::linked()?;
        let [endpoint, events] = [5555, 5556].map(Networks::endpoint);
        // The embedded image is for one machine only.
        let image = ImageProcess::scripted_at(&run.program, &endpoint, &events, networks.far());
        let mut surroundings = Surroundings {
            through: networks.near(),
            ..impatient()
        };
        // The cable has nobody else on it.
        surroundings.set("STUID_IMAGE__ALLOW_INSECURE", "true");
        let daemon = Daemon::start_under(surroundings, &image.flags());
        Ok(Self {
            daemon,
            image,
            networks,
            cut,
        })
    }
}

impl Scene for Packets {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        self.image.language()
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        (self.cut)(&self.networks);
        rest_for_up_to(dice, 3000);
        self.networks.mend();
        1
    }

    fn ledger(&mut self, _clients: usize) -> Ledger {
        self.image.written().expect("what a scripted image does")
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}
