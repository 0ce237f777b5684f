//! Device authorization (RFC 8628), as the host turns it on.

use std::time::Duration;

use crate::config::ConfigError;

/// Lets devices in that have no browser, or no keyboard to speak of: they show a code, and their user types it into the
/// page `/device` on something else. See [`Builder::device_authorization`](crate::Builder::device_authorization).
///
/// The guide [devices](crate::guide::devices) tells the whole of it.
///
/// Whoever gets a stranger to type a code is let in with the stranger's rights (RFC 8628 §5.4). So it is off unless the
/// host turns it on, and a client must have registered the grant type
/// `urn:ietf:params:oauth:grant-type:device_code`; let only those do so that need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceAuthorization {
    /// How long a device waits for its user; 1 minute to 1 hour. Default 10 minutes: time enough to find one's
    /// telephone, and little to guess in.
    pub lifetime: Duration,
    /// How long it has to wait between two requests, to begin with; 1 to 60 seconds. Default 5 seconds (RFC 8628 §3.2).
    pub interval: Duration,
}

impl Default for DeviceAuthorization {
    fn default() -> Self {
        Self { lifetime: Duration::from_secs(600), interval: Duration::from_secs(5) }
    }
}

impl DeviceAuthorization {
    /// The same, with another lifetime.
    #[must_use]
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// The same, with another interval.
    #[must_use]
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let ranges = [("device.lifetime", self.lifetime, 60, 3_600), ("device.interval", self.interval, 1, 60)];
        for (name, value, least, most) in ranges {
            if value < Duration::from_secs(least) || value > Duration::from_secs(most) {
                return Err(ConfigError::Lifetime { name, least, most });
            }
        }
        Ok(())
    }

    pub(crate) fn interval_seconds(&self) -> i64 {
        i64::try_from(self.interval.as_secs()).unwrap_or(i64::MAX)
    }
}
