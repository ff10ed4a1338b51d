//! `[telemetry]`: who is told of traces. The names that OpenTelemetry gives to the environment count too, after our own.

use std::collections::HashMap;
use std::fmt;

use reqwest::Url;

use super::Fault;
use super::reader::Reader;

/// Where collectors take traces, below their address.
const TRACES_PATH: &str = "v1/traces";
/// The one protocol that is spoken.
const PROTOCOL: &str = "http/protobuf";

/// Where traces go.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// `otlp_endpoint`: the address of a collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`; none by
    /// default. `OTEL_EXPORTER_OTLP_ENDPOINT` is the same, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` one with its path.
    pub traces: Option<Endpoint>,
    /// `otlp_headers`: what goes along with every export, as `name=value,name=value`; none by default.
    /// `OTEL_EXPORTER_OTLP_HEADERS` is the same.
    pub headers: Headers,
    /// `service_name`: what this service is called in traces; `flowforge` by default. `OTEL_SERVICE_NAME` is the same.
    pub service_name: String,
    /// `sample_ratio`: the share of the traces that begin here that is sent, 0 to 1; 1 by default.
    pub sample_ratio: f64,
    /// What stands in the environment and cannot be used.
    wrong: Vec<Fault>,
}

/// An address that may hold a password; printing it shows the host only.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// The whole address.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    fn read(text: &str, path: &str) -> Result<Self, String> {
        let wrong = || "is not an address; write one such as http://127.0.0.1:4318".to_owned();
        let mut url = Url::parse(text).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong());
        }
        if !path.is_empty() {
            let whole = format!("{}/{path}", url.path().trim_end_matches('/'));
            url.set_path(&whole);
        }
        Ok(Self(url))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.0.scheme(), self.0.host_str().unwrap_or_default())
    }
}

/// Headers whose values may be secret; printing them shows their names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(HashMap<String, String>);

impl Headers {
    /// Names and values.
    pub fn expose(&self) -> &HashMap<String, String> {
        &self.0
    }

    fn read(text: &str) -> Result<Self, String> {
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=')?;
            let value = percent_decoded(value.trim())?;
            let is_header = axum::http::HeaderName::try_from(name.trim()).is_ok()
                && axum::http::HeaderValue::try_from(&value).is_ok();
            is_header.then(|| (name.trim().to_owned(), value))
        };
        let wrong = || "is not of the form name=value,name=value".to_owned();
        pairs.map(|one| pair(one).ok_or_else(wrong)).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The form in which OpenTelemetry writes values that have a comma or a space.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let pair = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?
            }
            other => other,
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

/// What the environment says by the names of OpenTelemetry.
#[derive(Debug, Default)]
pub(super) struct Standard(HashMap<String, String>);

impl Standard {
    pub(super) fn of(environment: &HashMap<String, String>) -> Self {
        let ours = environment.iter().filter(|(name, value)| name.starts_with("OTEL_") && !value.is_empty());
        Self(ours.map(|(name, value)| (name.clone(), value.trim().to_owned())).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl TelemetryConfig {
    pub(super) fn read(reader: &mut Reader, standard: &Standard) -> Self {
        let mut wrong = Vec::new();
        let ours = reader.parsed("otlp_endpoint", None, |text| Endpoint::read(text, TRACES_PATH).map(Some));
        let traces = ours.or_else(|| Self::standard_endpoint(standard, &mut wrong));
        let headers = reader.parsed("otlp_headers", None, |text| Headers::read(text).map(Some));
        let headers = headers.unwrap_or_else(|| {
            let names = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
            let found = names.into_iter().find_map(|name| Some((name, standard.get(name)?)));
            let Some((name, text)) = found.filter(|_| traces.is_some()) else { return Headers::default() };
            Headers::read(text).unwrap_or_else(|message| {
                wrong.push(Fault::new(name, message));
                Headers::default()
            })
        });
        let name = reader.text("service_name").filter(|name| !name.is_empty());
        let name = name.or_else(|| standard.get("OTEL_SERVICE_NAME").map(str::to_owned));
        Self {
            traces,
            headers,
            service_name: name.unwrap_or_else(|| "flowforge".to_owned()),
            sample_ratio: reader.value("sample_ratio", 1.0, "a number"),
            wrong,
        }
    }

    fn standard_endpoint(standard: &Standard, wrong: &mut Vec<Fault>) -> Option<Endpoint> {
        if standard.get("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return None;
        }
        let names = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""), ("OTEL_EXPORTER_OTLP_ENDPOINT", TRACES_PATH)];
        let (name, text, path) = names.into_iter().find_map(|(name, path)| Some((name, standard.get(name)?, path)))?;
        for protocol in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            if standard.get(protocol).is_some_and(|said| said != PROTOCOL) {
                wrong.push(Fault::new(protocol, format!("only {PROTOCOL} is spoken; say so, or leave it out")));
            }
        }
        match Endpoint::read(text, path) {
            Ok(endpoint) => Some(endpoint),
            Err(message) => {
                wrong.push(Fault::new(name, message));
                None
            }
        }
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        faults.extend(self.wrong.iter().cloned());
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            faults.push(Fault::new("telemetry.sample_ratio", "must be 0 to 1"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn of(pairs: &[(&str, &str)]) -> Result<Config, super::super::Faults> {
        Config::from_parts(None, pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn nobody_is_told_unless_somebody_says_so() {
        assert_eq!(of(&[]).unwrap().telemetry.traces, None);
        let disabled = of(&[("OTEL_SDK_DISABLED", "true"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")]);
        assert_eq!(disabled.unwrap().telemetry.traces, None);
    }

    #[test]
    fn the_names_of_opentelemetry_count_after_our_own() {
        let ours = ("FLOWFORGE__TELEMETRY__OTLP_ENDPOINT", "http://ours:4318/");
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://base/otlp");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:1/as/it/is");
        let endpoint = |pairs: &[_]| of(pairs).unwrap().telemetry.traces.unwrap().expose().to_owned();
        assert_eq!(endpoint(&[ours, base, traces]), "http://ours:4318/v1/traces");
        assert_eq!(endpoint(&[base, traces]), "http://traces:1/as/it/is");
        assert_eq!(endpoint(&[base]), "https://base/otlp/v1/traces");
        let named = of(&[("OTEL_SERVICE_NAME", "orders"), base]).unwrap().telemetry;
        assert_eq!((named.service_name.as_str(), named.sample_ratio), ("orders", 1.0));
    }

    #[test]
    fn headers_and_passwords_do_not_show() {
        let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20geheim, x-team=a");
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://u:geheim@c/");
        let config = of(&[headers, endpoint]).unwrap();
        assert_eq!(config.telemetry.headers.expose()["authorization"], "Bearer geheim");
        assert!(!format!("{config:?}").contains("geheim"), "{config:?}");
        for wrong in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "u:geheim"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "geheim"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("FLOWFORGE__TELEMETRY__OTLP_ENDPOINT", "ftp://geheim"),
            ("FLOWFORGE__TELEMETRY__SAMPLE_RATIO", "1.5"),
        ] {
            let mut pairs = vec![endpoint, wrong];
            pairs.dedup_by_key(|pair| pair.0);
            if wrong.0 == endpoint.0 {
                pairs = vec![wrong];
            }
            let faults = of(&pairs).unwrap_err().to_string();
            assert!(!faults.contains("geheim"), "{wrong:?}: {faults}");
        }
    }
}
