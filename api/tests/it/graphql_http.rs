//! GraphQL over HTTP: media types, statuses, bounds.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, code};

const RESPONSE: &str = "application/graphql-response+json";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_cannot_be_executed_has_the_status_its_media_type_wants() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let many = |n: usize| (0..n).map(|n| format!("a{n}: __typename ")).collect::<String>();
    let deep = format!("{}{}", "{ a ".repeat(16), "}".repeat(16));
    let costly = "{ runs(first: 100) { nodes { nodeRuns(first: 100) { nodes { id node status } } } } }".to_owned();
    let cases = [
        ("{ viewer".to_owned(), "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }".to_owned(), "GRAPHQL_VALIDATION_FAILED"),
        ("query a { viewer { name } } query b { viewer { name } }".to_owned(), "OPERATION_RESOLUTION_FAILURE"),
        ("query($id: ID!) { run(id: $id) { id } }".to_owned(), "BAD_USER_INPUT"),
        ("subscription { runEvents(runId: \"run_1\") { seq } }".to_owned(), "OPERATION_RESOLUTION_FAILURE"),
        (deep, "DEPTH_LIMIT_EXCEEDED"),
        (format!("{{ viewer {{ {} }} }}", many(31)), "COST_LIMIT_EXCEEDED"),
        (format!("{{ {} }}", "__typename ".repeat(21)), "COST_LIMIT_EXCEEDED"),
        (format!("{{ viewer {{ {} }} }}", "name ".repeat(5_000)), "COST_LIMIT_EXCEEDED"),
        (costly, "COST_LIMIT_EXCEEDED"),
    ];
    for (query, wanted) in cases {
        let strict = app.post(&app.key, &json!({"query": query})).header("accept", RESPONSE).send().await.unwrap();
        assert_eq!(strict.status(), 400, "{query:.60}");
        assert_eq!(strict.headers()["content-type"], "application/graphql-response+json; charset=utf-8");
        let body: Value = strict.json().await.unwrap();
        assert_eq!(code(&body), wanted, "{query:.60}");
        assert!(body.get("data").is_none(), "{body}");
        assert!(body["errors"][0]["message"].as_str().unwrap().chars().count() <= 200);

        let plain =
            app.post(&app.key, &json!({"query": query})).header("accept", "application/json").send().await.unwrap();
        let expected = if wanted == "OPERATION_RESOLUTION_FAILURE" && query.starts_with("sub") { 400 } else { 200 };
        assert_eq!(plain.status(), expected, "{query:.60}");
        assert_eq!(plain.headers()["content-type"], "application/json; charset=utf-8");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_is_json_of_at_most_5_mib_and_one_request() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let send = async |media: Option<&str>, body: String| -> u16 {
        let mut request = app.http.post(app.url("/graphql")).bearer_auth(&app.key).body(body);
        if let Some(media) = media {
            request = request.header("content-type", media);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let good = json!({"query": "{ __typename }"}).to_string();
    let json = Some("application/json");
    assert_eq!(send(json, good.clone()).await, 200);
    assert_eq!(send(Some("application/json; charset=utf-8"), good.clone()).await, 200);
    for media in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data")] {
        assert_eq!(send(media, good.clone()).await, 415, "{media:?}");
    }
    for body in ["", "{", "[]", "{}", "null", r#"{"query":1}"#, r#"{"query":"{a}","variables":[]}"#] {
        assert_eq!(send(json, body.to_owned()).await, 400, "{body}");
    }
    assert_eq!(send(json, format!("[{good},{good}]")).await, 400);
    assert_eq!(send(json, json!({"query": "{ __typename }", "x": "y".repeat(5_300_000)}).to_string()).await, 413);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn methods_and_accept_are_honored() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let get = |query: &'static str| app.http.get(app.url("/graphql")).query(&[("query", query)]).bearer_auth(&app.key);
    let answer = get("{ __typename }").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let told = json!({"data": {"__typename": "Query"}, "extensions": {"cost": {"requestedQueryCost": 0, "maximumQueryCost": 1_000}}});
    assert_eq!(answer.json::<Value>().await.unwrap(), told);
    let cost = |query: &'static str| {
        let asked = get(query).header("accept", RESPONSE);
        async move { asked.send().await.unwrap().json::<Value>().await.unwrap()["extensions"]["cost"].clone() }
    };
    let page = cost("{ runs(first: 30) { nodes { id } } viewer { name } }").await;
    assert_eq!(page, json!({"requestedQueryCost": 32, "maximumQueryCost": 1_000}));
    assert_eq!(cost("{ runs(first: 30) { nodes }").await, Value::Null, "nothing was carried out");
    let mutation =
        get("mutation { cancelRun(input: {runId: \"run_1\"}) { userErrors { code } } }").send().await.unwrap();
    assert_eq!((mutation.status().as_u16(), &mutation.headers()["allow"]), (405, &"POST".parse().unwrap()));
    let variables = get("query($id: ID!) { node(id: $id) { id } }").query(&[("variables", "{\"id\":\"run_1\"}")]);
    let answer: Value = variables.header("accept", RESPONSE).send().await.unwrap().json().await.unwrap();
    assert_eq!((code(&answer), &answer["data"]["node"]), ("NOT_FOUND", &json!(null)));
    for (method, wanted) in [(Method::PUT, 405), (Method::DELETE, 405), (Method::OPTIONS, 204)] {
        let answer = app.http.request(method.clone(), app.url("/graphql")).send().await.unwrap();
        assert_eq!(answer.status(), wanted, "{method}");
        assert_eq!(answer.headers()["allow"], "GET, POST, OPTIONS");
    }
    assert_eq!(get("{ __typename }").header("accept", "text/html").send().await.unwrap().status(), 406);
    let answer = get("{ __typename }").header("accept", "*/*").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_introspection_query_of_common_clients_passes() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let mut type_ref = "kind name".to_owned();
    for _ in 0..9 {
        type_ref = format!("kind name ofType {{ {type_ref} }}");
    }
    let query = format!(
        "query IntrospectionQuery {{ __schema {{
        queryType {{ name }} mutationType {{ name }} subscriptionType {{ name }}
        types {{ ...FullType }} directives {{ name description locations args {{ ...InputValue }} }} }} }}
        fragment FullType on __Type {{ kind name description
          fields(includeDeprecated: true) {{
            name description args {{ ...InputValue }} type {{ ...TypeRef }} isDeprecated deprecationReason }}
          inputFields {{ ...InputValue }} interfaces {{ ...TypeRef }}
          enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
          possibleTypes {{ ...TypeRef }} }}
        fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue }}
        fragment TypeRef on __Type {{ {type_ref} }}"
    );
    let data = app.ask(&query, json!({})).await;
    assert_eq!(data["__schema"]["subscriptionType"]["name"], "Subscription");
    app.stop().await;
}
