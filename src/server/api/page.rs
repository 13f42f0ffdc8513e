//! The page of `/api/v1`, made from the OpenAPI document: every request with what goes in and comes out. No
//! script, nothing of others', readable by anything that reads HTML.

use std::fmt::Write;

use axum::http::{HeaderName, header};
use serde_json::Value;

pub const HTML: (HeaderName, &str) = (header::CONTENT_TYPE, "text/html; charset=utf-8");
pub const CSS: (HeaderName, &str) = (header::CONTENT_TYPE, "text/css; charset=utf-8");
pub const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

pub const STYLE: &str = include_str!("page.css");

/// Shown below; each is the anchor to which a refusal's `type` points.
const CODES: [(&str, &str); 12] = [
    ("bad-key", "The key is that of no tenant."),
    ("unknown-session", "There is no such session, or it is somebody else's."),
    ("malformed", "The request cannot be understood; `detail` says where."),
    ("too-large", "The body is larger than 16 KiB."),
    ("bad-title", "The title is empty or over 120 characters."),
    ("bad-token", "The token is not signed by you, not for this server, or not yet valid."),
    (
        "bad-claims",
        "A claim of the token, or a field of the ticket, is wrong; `detail` says which.",
    ),
    ("token-expired", "The token has run out."),
    ("choose-room", "Captions are of one room, and several have some: name one with `rooms`."),
    ("too-fast", "300 requests at once and then ten a second; `Retry-After` says when."),
    ("server-full", "As many sessions, or tickets, as the server can hold."),
    ("internal", "A fault of ours; nothing that was confirmed is lost."),
];

/// The whole page.
pub fn show(document: &Value) -> String {
    let mut out = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Vuoro: API</title><link rel=\"icon\" href=\"/vuoro.svg\" type=\"image/svg+xml\"><link rel=\"stylesheet\" href=\"/api/v1/page.css\"></head><body><main>",
    );
    let info = &document["info"];
    let _ = write!(
        out,
        "<h1>{} API</h1><p>{}</p><p><a href=\"/api/v1/openapi.json\">The same as OpenAPI 3.1</a></p>",
        text(&info["title"]),
        text(&info["description"]),
    );
    let operations = operations(document);
    out.push_str("<nav aria-label=\"Requests\"><ul>");
    for it in &operations {
        let _ = write!(
            out,
            "<li><a href=\"#{id}\"><b>{}</b> {}</a></li>",
            it.method,
            it.path,
            id = text(&it.about["operationId"])
        );
    }
    out.push_str("</ul></nav>");
    for it in &operations {
        operation(&mut out, it);
    }
    out.push_str("<h2>Refusals</h2><p>Always <code>application/problem+json</code>, with a stable <code>code</code>:</p><dl>");
    for (code, about) in CODES {
        let _ = write!(out, "<dt id=\"{code}\"><code>{code}</code></dt><dd>{}</dd>", marked(about));
    }
    out.push_str("</dl><h2>Shapes</h2>");
    for (name, shape) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let _ = write!(
            out,
            "<section id=\"shape-{0}\"><h3>{0}</h3><p>{1}</p>",
            escaped(name),
            text(&shape["description"])
        );
        fields(&mut out, shape);
        out.push_str("</section>");
    }
    out.push_str("</main></body></html>");
    out
}

struct Operation<'a> {
    method: String,
    path: String,
    about: &'a Value,
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let of_path = |(path, methods): (&String, &'_ Value)| -> Vec<(String, String)> {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(|(method, _)| (method.clone(), path.clone())).collect()
    };
    let all: Vec<_> = paths.flat_map(of_path).collect();
    all.into_iter()
        .map(|(method, path)| Operation {
            about: &document["paths"][&path][&method],
            method: method.to_uppercase(),
            path: escaped(&path),
        })
        .collect()
}

fn operation(out: &mut String, Operation { method, path, about }: &Operation<'_>) {
    let id = text(&about["operationId"]);
    let _ = write!(
        out,
        "<section id=\"{id}\"><h2><b>{method}</b> <code>{path}</code></h2><p>{}</p>",
        text(&about["summary"])
    );
    let parameters: Vec<_> = about["parameters"].as_array().into_iter().flatten().collect();
    if !parameters.is_empty() {
        out.push_str(
            "<table><thead><tr><th>In the address</th><th>Is</th><th>About</th></tr></thead><tbody>",
        );
        for it in parameters {
            let needed = if it["required"] == true { "" } else { ", optional" };
            let _ = write!(
                out,
                "<tr><td><code>{}</code></td><td>{}{needed}</td><td>{}</td></tr>",
                text(&it["name"]),
                kind(&it["schema"]),
                text(&it["description"])
            );
        }
        out.push_str("</tbody></table>");
    }
    if let Some(shape) = body(&about["requestBody"]) {
        let _ = write!(out, "<p>Takes {}.</p>", kind(shape));
    }
    out.push_str("<ul>");
    for (status, answer) in about["responses"].as_object().into_iter().flatten() {
        let of = body(answer).map(|it| format!(" {}", kind(it))).unwrap_or_default();
        let _ =
            write!(out, "<li><b>{}</b>{of} {}</li>", escaped(status), text(&answer["description"]));
    }
    out.push_str("</ul></section>");
}

fn body(of: &Value) -> Option<&Value> {
    of["content"].as_object()?.values().next().map(|it| &it["schema"])
}

fn fields(out: &mut String, shape: &Value) {
    if shape["enum"].is_array() {
        let _ = write!(out, "<p>{}</p>", kind(shape));
        return;
    }
    let parts = shape["allOf"].as_array().cloned().unwrap_or_else(|| vec![shape.clone()]);
    out.push_str("<table><thead><tr><th>Field</th><th>Is</th><th>About</th></tr></thead><tbody>");
    for part in &parts {
        if part["$ref"].is_string() {
            let _ =
                write!(out, "<tr><td>…</td><td>{}</td><td>all of its fields</td></tr>", kind(part));
        }
        let required: Vec<_> = part["required"].as_array().into_iter().flatten().collect();
        for (name, it) in part["properties"].as_object().into_iter().flatten() {
            let needed = if required.iter().any(|it| *it == name) { "" } else { ", optional" };
            let _ = write!(
                out,
                "<tr><td><code>{}</code></td><td>{}{needed}</td><td>{}</td></tr>",
                escaped(name),
                kind(it),
                text(&it["description"])
            );
        }
    }
    out.push_str("</tbody></table>");
}

/// What a value is, in a word or two.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        return format!("<a href=\"#shape-{0}\">{0}</a>", escaped(name));
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().map(|it| format!("<code>{}</code>", text(it))).collect();
        return values.join(" | ");
    }
    if let Some(kinds) = schema["oneOf"].as_array() {
        return kinds.iter().map(kind).filter(|it| it != "null").collect::<Vec<_>>().join(" | ");
    }
    let one = |it: &Value| match it.as_str() {
        Some("array") => format!("list of {}", kind(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => "texts by name".to_owned(),
        Some(it) => escaped(it),
        None => String::new(),
    };
    match schema["type"].as_array() {
        Some(kinds) => kinds.iter().map(one).collect::<Vec<_>>().join(" | "),
        None => one(&schema["type"]),
    }
}

fn text(value: &Value) -> String {
    marked(value.as_str().unwrap_or_default())
}

/// Words between backticks are code.
fn marked(text: &str) -> String {
    let part = |(at, it): (usize, &str)| match at % 2 {
        0 => escaped(it),
        _ => format!("<code>{}</code>", escaped(it)),
    };
    text.split('`').enumerate().map(part).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
