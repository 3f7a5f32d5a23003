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

/// Proxies under the same weather.
pub(super) struct Roads(Vec<Proxy>);

impl Roads {
    /// Roads to an image, for both of its links, and a daemon at their other end.
    pub(super) fn to(image: &ImageProcess) -> (Self, Daemon) {
        let road = |name: &str| {
            let front = image.dir().join(format!("{name}-road"));
            Proxy::between(&front, &image.dir().join(name))
        };
        let roads = [road("image"), road("events")];
        let [endpoint, events] = roads.each_ref().map(|road| ipc(road.path()));
        let flags = ["--image", &endpoint, "--image-events", &events];
        let daemon = Daemon::start_under(impatient(), &flags);
        (Self(roads.into()), daemon)
    }

    pub(super) fn set(&self, weather: Weather) {
        for road in &self.0 {
            road.set(weather);
        }
    }

    pub(super) fn cut(&self) {
        for road in &self.0 {
            road.cut();
        }
    }

    /// Bad weather, and good weather again; answers how many connections it broke, or one when it
    /// breaks none.
    fn bad_for_a_while(&self, weather: Weather, dice: &mut StdRng) -> u64 {
        let broken = || self.0.iter().map(Proxy::broken).sum::<u64>();
        let before = broken();
        self.set(weather);
        if weather == Weather::EverySecondConnect {
            self.cut();
        }
        rest_for_up_to(dice, 1500);
        self.set(Weather::Clear);
        (broken() - before).max(1)
    }
}

/// Both links to the image lead over a proxy.
pub(super) struct ImageLink {
    daemon: Daemon,
    roads: Roads,
    weather: Weather,
    image: ImageProcess,
}

impl ImageLink {
    pub(super) fn new(weather: Weather) -> Self {
        let image = ImageProcess::embedded();
        let (roads, daemon) = Roads::to(&image);
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
        self.roads.bad_for_a_while(self.weather, dice)
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}

/// The clients reach the daemon over a proxy.
pub(super) struct ClientLink {
    daemon: Daemon,
    socket: PathBuf,
    road: Roads,
    weather: Weather,
    image: ImageProcess,
}

impl ClientLink {
    pub(super) fn new(weather: Weather) -> Self {
        let image = ImageProcess::embedded();
        let daemon = before(&image, impatient());
        let front = daemon.dir().join("road");
        let road = Proxy::between(&front, &daemon.socket());
        Self {
            daemon,
            socket: front,
            road: Roads(vec![road]),
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
        self.socket.clone()
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        self.road.bad_for_a_while(self.weather, dice)
    }

    fn sends_again(&self) -> bool {
        true
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
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
        // Long enough for a connection, now and then: its attempts are a second apart and more.
        rest_for_up_to(dice, 3000);
        1
    }

    fn ledger(&mut self, _clients: usize) -> Ledger {
        self.image.written().expect("what a scripted image does")
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}
