//! mitmproxy's flow files, version 21: one tnetstring for each flow.

use crate::export::message::{Message, Messages};
use crate::redact::Named;

/// The flows.
pub(super) fn write(messages: &Messages) -> Vec<u8> {
    messages.all.iter().flat_map(flow).collect()
}

/// A value of a tnetstring.
enum Item {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Self>),
    Dict(Vec<(&'static str, Self)>),
}

impl Item {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn bytes(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }

    fn write(&self) -> Vec<u8> {
        let (payload, kind) = match self {
            Self::Null => (Vec::new(), b'~'),
            Self::Bool(is) => (is.to_string().into_bytes(), b'!'),
            Self::Int(number) => (number.to_string().into_bytes(), b'#'),
            Self::Float(number) => (format!("{number:?}").into_bytes(), b'^'),
            Self::Text(text) => (text.as_bytes().to_vec(), b';'),
            Self::Bytes(bytes) => (bytes.clone(), b','),
            Self::List(items) => (items.iter().flat_map(Self::write).collect(), b']'),
            Self::Dict(members) => {
                let member = |(name, item): &(&str, Self)| {
                    [Self::text(*name).write(), item.write()].concat()
                };
                (members.iter().flat_map(member).collect(), b'}')
            }
        };
        [
            payload.len().to_string().as_bytes(),
            b":",
            &payload,
            &[kind],
        ]
        .concat()
    }
}

fn flow(message: &Message) -> Vec<u8> {
    #[expect(clippy::cast_precision_loss, reason = "a time of today is far within")]
    let started = message.at.unix_timestamp_nanos() as f64 / 1e9;
    let ended = started + message.took;
    let (_, host, port) = message.target();
    let id = |what: &str| Item::text(format!("authtape-{}-{what}", message.id));
    let error = message.error.as_ref().map_or(Item::Null, |error| {
        Item::Dict(vec![
            ("msg", Item::text(error.replace('_', " "))),
            ("timestamp", Item::Float(ended)),
        ])
    });
    let address = || Item::List(vec![Item::text(bare(host)), Item::Int(port.into())]);
    let flow = Item::Dict(vec![
        ("version", Item::Int(VERSION)),
        ("type", Item::text("http")),
        ("id", id("flow")),
        ("error", error),
        (
            "client_conn",
            connection(id("client"), true, address(), started),
        ),
        (
            "server_conn",
            connection(id("server"), false, address(), started),
        ),
        ("intercepted", Item::Bool(false)),
        ("is_replay", Item::Null),
        ("marked", Item::text("")),
        ("metadata", Item::Dict(Vec::new())),
        ("comment", Item::text("")),
        ("timestamp_created", Item::Float(started)),
        ("backup", Item::Null),
        ("request", request(message, started)),
        ("response", response(message, ended)),
        ("websocket", Item::Null),
    ]);
    flow.write()
}

/// An address of IPv6 has no brackets here.
fn bare(host: &str) -> &str {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host)
}

fn request(message: &Message, started: f64) -> Item {
    let (scheme, host, port) = message.target();
    let (_, path) = message.parts();
    Item::Dict(vec![
        ("http_version", Item::bytes("HTTP/1.1")),
        ("headers", headers(&message.headers)),
        ("content", Item::bytes(&message.body)),
        ("trailers", Item::Null),
        ("timestamp_start", Item::Float(started)),
        ("timestamp_end", Item::Float(started)),
        ("host", Item::text(bare(host))),
        ("port", Item::Int(port.into())),
        ("method", Item::bytes(&message.method)),
        ("scheme", Item::bytes(scheme)),
        ("authority", Item::bytes("")),
        ("path", Item::bytes(path)),
    ])
}

fn response(message: &Message, ended: f64) -> Item {
    message.answer.as_ref().map_or(Item::Null, |answer| {
        Item::Dict(vec![
            ("http_version", Item::bytes("HTTP/1.1")),
            ("headers", headers(&answer.headers)),
            ("content", Item::bytes(&answer.body)),
            ("trailers", Item::Null),
            ("timestamp_start", Item::Float(ended)),
            ("timestamp_end", Item::Float(ended)),
            ("status_code", Item::Int(answer.status.into())),
            ("reason", Item::bytes(&answer.reason)),
        ])
    })
}

/// A connection of which nothing is known but where it leads to.
fn connection(id: Item, is_client: bool, address: Item, at: f64) -> Item {
    let nowhere = || Item::List(vec![Item::text("127.0.0.1"), Item::Int(0)]);
    let mut members = vec![
        ("id", id),
        ("peername", if is_client { nowhere() } else { Item::Null }),
        ("sockname", if is_client { nowhere() } else { Item::Null }),
        ("alpn", Item::Null),
        ("alpn_offers", Item::List(Vec::new())),
        ("certificate_list", Item::List(Vec::new())),
        ("cipher", Item::Null),
        ("cipher_list", Item::List(Vec::new())),
        ("error", Item::Null),
        ("sni", Item::Null),
        ("timestamp_start", Item::Float(at)),
        ("timestamp_end", Item::Null),
        ("timestamp_tls_setup", Item::Null),
        ("tls", Item::Bool(false)),
        ("tls_version", Item::Null),
        ("transport_protocol", Item::text("tcp")),
    ];
    if is_client {
        members.extend([
            ("mitmcert", Item::Null),
            ("proxy_mode", Item::text("regular")),
        ]);
    } else {
        members.extend([
            ("address", address),
            ("timestamp_tcp_setup", Item::Null),
            ("via", Item::Null),
        ]);
    }
    Item::Dict(members)
}

fn headers(fields: &[Named<String>]) -> Item {
    let field = |field: &Named<String>| {
        Item::List(vec![Item::bytes(&field.name), Item::bytes(&field.value)])
    };
    Item::List(fields.iter().map(field).collect())
}

const VERSION: i64 = 21;
