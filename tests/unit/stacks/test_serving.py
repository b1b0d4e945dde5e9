from tests.unit.stacks.synthesis import config, environment, full, statement_of, statements, synthesize, text


def test_model_and_endpoint_config_carry_no_name() -> None:
    assert "ModelName" not in environment().only("serving", "AWS::SageMaker::Model")
    assert "EndpointConfigName" not in environment().only("serving", "AWS::SageMaker::EndpointConfig")


def test_endpoint_is_named_after_its_environment() -> None:
    assert environment("prod").only("serving", "AWS::SageMaker::Endpoint")["EndpointName"] == "plumbline-prod"


def test_model_runs_our_inference_code_in_script_mode() -> None:
    container = environment().only("serving", "AWS::SageMaker::Model")["PrimaryContainer"]
    assert container["Image"] == "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
    assert container["Environment"]["SAGEMAKER_PROGRAM"] == "inference.py"
    source = environment().templates["foundation"]["Outputs"]["SourceArchiveUri"]["Value"]
    assert text(container["Environment"]["SAGEMAKER_SUBMIT_DIRECTORY"]) == text(source)


def test_image_follows_the_region() -> None:
    container = synthesize(config(region="eu-west-1")).only("serving", "AWS::SageMaker::Model")["PrimaryContainer"]
    assert container["Image"] == "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.0-5"


def test_model_waits_for_its_roles_policy() -> None:
    ((_, model),) = environment().resources("serving", "AWS::SageMaker::Model").items()
    assert list(environment().resources("serving", "AWS::IAM::Policy")) == model["DependsOn"]


def test_capture_records_input_and_output_as_two_options() -> None:
    capture = environment().only("serving", "AWS::SageMaker::EndpointConfig")["DataCaptureConfig"]
    assert capture["CaptureOptions"] == [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]
    assert capture["EnableCapture"] is True


def test_capture_decodes_csv_and_json() -> None:
    capture = environment().only("serving", "AWS::SageMaker::EndpointConfig")["DataCaptureConfig"]
    assert capture["CaptureContentTypeHeader"] == {
        "CsvContentTypes": ["text/csv"],
        "JsonContentTypes": ["application/json"],
    }


def test_capture_is_encrypted_with_our_key_and_sampled_as_configured() -> None:
    capture = environment("prod").only("serving", "AWS::SageMaker::EndpointConfig")["DataCaptureConfig"]
    assert "DataKey" in text(capture["KmsKeyId"])
    assert capture["InitialSamplingPercentage"] == 20
    assert text(capture["DestinationS3Uri"]).endswith(">/capture")


def test_endpoint_writes_only_below_its_own_capture_prefix() -> None:
    write = statement_of(environment(), "serving", "EndpointRole", "s3:PutObject")
    assert text(write["Resource"]).endswith("/capture/plumbline-dev/*")


def test_endpoint_may_encrypt_what_it_captures() -> None:
    allowed = statement_of(environment(), "serving", "EndpointRole", "kms:GenerateDataKey")
    assert "DataKey" in text(allowed["Resource"])


def test_endpoint_keeps_its_count_without_autoscaling() -> None:
    assert not environment().resources("serving", "AWS::ApplicationAutoScaling::ScalableTarget")


def test_endpoint_scales_between_its_counts() -> None:
    target = full().only("serving", "AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)
    assert text(target["ResourceId"]) == "endpoint/<Endpoint8024A810.EndpointName>/variant/AllTraffic"
    policy = full().only("serving", "AWS::ApplicationAutoScaling::ScalingPolicy")
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 500


def test_update_keeps_the_scaled_count() -> None:
    assert full().only("serving", "AWS::SageMaker::Endpoint")["RetainAllVariantProperties"] is True


def test_model_joins_the_vpc() -> None:
    model = full().only("serving", "AWS::SageMaker::Model")
    assert model["VpcConfig"] == {
        "Subnets": ["subnet-0a000000", "subnet-0b000000"],
        "SecurityGroupIds": ["sg-0c000000"],
    }


def test_vpc_rights_are_absent_without_a_vpc() -> None:
    for part, role in (("serving", "Endpoint"), ("foundation", "Training"), ("monitoring", "Monitoring")):
        assert "ec2:" not in str(statements(environment(), part, role))
        assert "ec2:CreateNetworkInterface" in str(statements(full(), part, role))
